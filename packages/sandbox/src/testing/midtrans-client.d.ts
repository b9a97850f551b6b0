/** The part of midtrans-client 1.4.3 that the tests use; the package ships no types. */
declare module "midtrans-client" {
  type Body = Record<string, unknown>;

  export interface ClientOptions {
    readonly isProduction: boolean;
    readonly serverKey: string;
    readonly clientKey: string;
  }

  export interface ApiConfig {
    readonly constructor: { CORE_SANDBOX_BASE_URL: string; SNAP_SANDBOX_BASE_URL: string };
  }

  interface Transactions {
    status(id: string): Promise<Body>;
    approve(id: string): Promise<Body>;
    deny(id: string): Promise<Body>;
    cancel(id: string): Promise<Body>;
    expire(id: string): Promise<Body>;
    refund(id: string, parameter?: Body): Promise<Body>;
    refundDirect(id: string, parameter?: Body): Promise<Body>;
    notification(body: Body | string): Promise<Body>;
  }

  interface Client {
    readonly apiConfig: ApiConfig;
    readonly httpClient: { readonly http_client: { readonly defaults: { readonly headers: { readonly common: Record<string, string> } } } };
    readonly transaction: Transactions;
  }

  export class CoreApi implements Client {
    constructor(options: ClientOptions);
    readonly apiConfig: ApiConfig;
    readonly httpClient: Client["httpClient"];
    readonly transaction: Transactions;
    charge(parameter?: Body | null): Promise<Body>;
  }

  export class Snap implements Client {
    constructor(options: ClientOptions);
    readonly apiConfig: ApiConfig;
    readonly httpClient: Client["httpClient"];
    readonly transaction: Transactions;
    createTransaction(parameter?: Body | null): Promise<{ token: string; redirect_url: string }>;
    createTransactionToken(parameter: Body): Promise<string>;
    createTransactionRedirectUrl(parameter: Body): Promise<string>;
  }

  export class MidtransError extends Error {
    /** A string from the body, or a number from HTTP. */
    readonly httpStatusCode: string | number | null;
    readonly ApiResponse: Body | string | null;
  }
}
