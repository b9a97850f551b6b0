import type { Provider } from "@lunas/domain";
import { midtrans } from "./midtrans/index.ts";

/** A provider whose configuration only it understands: whoever holds this parses with it and hands the result back to it. */
// oxlint-disable-next-line typescript/no-explicit-any -- each provider has its own type of configuration, and none of them matters here.
export type AnyProvider = Provider<any>;

/** Every provider by its name, with both ends of its wire. A new one adds its folder and one line here. */
export const providers: ReadonlyMap<string, AnyProvider> = new Map([midtrans].map((provider): [string, AnyProvider] => [provider.name, provider]));
