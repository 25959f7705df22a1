/** What happened at an endpoint, in order, for whoever waits for it. */

interface Waiter<E> {
  readonly fits: (event: E) => boolean;
  take(event: E): void;
}

export class Happenings<E> {
  /** Everything that happened, taken or not. */
  readonly all: E[] = [];
  readonly #untaken: E[] = [];
  readonly #waiters: Waiter<E>[] = [];
  readonly #nameOf: (event: E) => string;

  /** `nameOf` is how an event is called in the error of a wait that ends in vain. */
  constructor(nameOf: (event: E) => string) {
    this.#nameOf = nameOf;
  }

  add(event: E): void {
    this.all.push(event);
    const at = this.#waiters.findIndex((waiter) => waiter.fits(event));
    if (at < 0) this.#untaken.push(event);
    else this.#waiters.splice(at, 1)[0]?.take(event);
  }

  /** The first event nobody has taken that fits, now or within the time; rejects with what there is instead. */
  next(what: string, fits: (event: E) => boolean, timeoutMs: number): Promise<E> {
    const at = this.#untaken.findIndex(fits);
    if (at >= 0) return Promise.resolve(this.#untaken.splice(at, 1)[0] as E);
    return new Promise((resolve, reject) => {
      const waiter: Waiter<E> = {
        fits,
        take(event) {
          clearTimeout(limit);
          resolve(event);
        },
      };
      const limit = setTimeout(() => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        const seen = this.all.map(this.#nameOf).join(', ');
        reject(new Error(`no ${what} within ${timeoutMs} ms; there was: ${seen === '' ? 'nothing' : seen}`));
      }, timeoutMs);
      this.#waiters.push(waiter);
    });
  }
}
