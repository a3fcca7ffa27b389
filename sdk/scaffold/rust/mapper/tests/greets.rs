//! The mapper's function, called natively. Run with `cargo test`.

use {{module}}::Plugin;

use serde_json::json;
use weir_sdk::FaultKind;
use weir_sdk::testing::transform_json;

#[test]
fn a_person_is_greeted() {
    let greetings = transform_json::<Plugin>(&json!({ "name": " Ada " })).expect("a greeting");
    assert_eq!(greetings, [json!({ "greeting": "Hello, Ada!" })]);
}

#[test]
fn nobody_is_a_fault() {
    for input in [json!({}), json!({ "name": "" }), json!({ "name": 7 })] {
        let fault = transform_json::<Plugin>(&input).expect_err("nobody");
        assert_eq!(
            (fault.kind, fault.fields[0].pointer.as_str()),
            (FaultKind::InvalidInput, "/name"),
            "{input}"
        );
    }
}
