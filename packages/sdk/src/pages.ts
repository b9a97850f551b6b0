/** One page as the hub answers it. */
export interface Page<T> {
  data: T[];
  /** Give it as `cursor` to get the next page; null on the last. */
  next_cursor: string | null;
}

/**
 * What `list` gives back: await it for one page, or iterate over it for everything from there on.
 *
 * ```ts
 * const page = await lunas.orders.list({ limit: 20 });
 * for await (const order of lunas.orders.list({ payment_status: "paid" })) console.log(order.reference);
 * ```
 *
 * Nothing is asked before one of the two is done.
 */
export class PageRequest<T> implements PromiseLike<Page<T>>, AsyncIterable<T> {
  readonly #load: (cursor: string | undefined) => Promise<Page<T>>;
  readonly #cursor: string | undefined;

  constructor(load: (cursor: string | undefined) => Promise<Page<T>>, cursor: string | undefined) {
    this.#load = load;
    this.#cursor = cursor;
  }

  then<A = Page<T>, B = never>(
    resolve?: ((page: Page<T>) => A | PromiseLike<A>) | null,
    reject?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#load(this.#cursor).then(resolve, reject);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    let cursor = this.#cursor;
    for (;;) {
      const page: Page<T> = await this.#load(cursor);
      yield* page.data;
      if (page.next_cursor === null || page.next_cursor === cursor) return;
      cursor = page.next_cursor;
    }
  }
}
