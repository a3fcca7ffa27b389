import type { Connector, ConnectorRoles } from "./connector.js";
import type { HttpInterface, LogInterface, MapperInterface } from "./generated/contract.js";
import type { Mapper } from "./mapper.js";
import { type SourceMap } from "./source-lines.js";
/** What the entry hands over. */
export interface Host {
    /** The roles in the manifest. */
    readonly roles: readonly string[];
    readonly log: LogInterface;
    /** None for a mapper. */
    readonly http?: HttpInterface;
    /** Whether the engine waits for promises, as StarlingMonkey does. */
    readonly awaits: boolean;
    /** What the build leaves at the end of the bundle. */
    readonly sourceMap: () => SourceMap | undefined;
}
/** The roles that a component exports. */
export type Roles = Partial<ConnectorRoles> & {
    mapper?: MapperInterface;
};
/**
 * The roles of a plugin, ready to be exported. Runs while the component is built.
 *
 * @throws {Error} if they are not the manifest's
 */
export declare function expose(plugin: Mapper | Connector | undefined, host: Host): Roles;
