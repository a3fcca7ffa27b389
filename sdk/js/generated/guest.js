// What a built plugin begins with: the roles of the contract, with every exception made a fault. Only the entry that the
// build writes uses this.
import { faultOf, wireFault } from "./fault.js";
import { provideFetch } from "./fetch.js";
import { Http } from "./http.js";
import { log, setHost } from "./log.js";
import { locator } from "./source-lines.js";
import { isPromise, refusePromise } from "./synchronous.js";
/**
 * The roles of a plugin, ready to be exported. Runs while the component is built.
 *
 * @throws {Error} if they are not the manifest's
 */
export function expose(plugin, host) {
    setHost(host.log);
    provideConsole();
    provideFetch(host.awaits && host.http ? new Http(host.http) : undefined, host.http === undefined);
    const roles = rolesOf(plugin, host);
    const missing = host.roles.filter((role) => !(role in roles));
    const surplus = Object.keys(roles).filter((role) => !host.roles.includes(role));
    if (missing.length > 0)
        throw new Error(`weir-plugin.toml names the role ${missing.join(", ")}, and the code has none`);
    if (surplus.length > 0)
        throw new Error(`the code has the role ${surplus.join(", ")}; name it in weir-plugin.toml`);
    return Object.fromEntries(Object.entries(roles).map(([name, role]) => [name, guard(role, host)]));
}
function rolesOf(plugin, host) {
    if (plugin && "mapper" in plugin)
        return { mapper: plugin.mapper };
    if (plugin && "connector" in plugin && host.http)
        return plugin.connector(host.http);
    if (plugin && "connector" in plugin)
        throw new Error("a connector cannot have the role mapper");
    throw new Error("the plugin's entry must have `export default mapper(…)` or `export default connector({…})`");
}
/** The same functions, throwing faults of the contract and nothing else: what else is thrown would be a trap. */
function guard(role, host) {
    const fail = (thrown) => {
        throw wireFault(faultOf(thrown, locate(host)));
    };
    const guarded = Object.entries(role).map(([name, call]) => [
        name,
        (...values) => {
            try {
                const given = call(...values);
                return host.awaits && isPromise(given) ? given.then((value) => value, fail) : refusePromise(given);
            }
            catch (thrown) {
                return fail(thrown);
            }
        },
    ]);
    return Object.fromEntries(guarded);
}
function locate(host) {
    const map = host.sourceMap();
    return map ? locator(map) : (frame) => frame;
}
/** `console` writes lines of the execution: there is nothing else to write to. */
function provideConsole() {
    const line = (write) => (...values) => write(values.map(String).join(" "));
    const console = {
        debug: line(log.debug),
        log: line(log.info),
        info: line(log.info),
        warn: line(log.warn),
        error: line(log.error),
    };
    Object.assign(globalThis, { console });
}
