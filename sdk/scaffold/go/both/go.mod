module example.com/{{name}}

go 1.25

require github.com/weir-project/weir/sdk/go v0.1.0

// The SDK lies beside this file.
replace github.com/weir-project/weir/sdk/go => ./weir-sdk
