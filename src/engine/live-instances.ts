/** On which client of a user each live session is, so that it can be extended there (Session-Replaces, A-41). */

export class LiveInstances {
  readonly #instances = new Map<string, string>();

  set(user: string, contributionId: string, instance: string): void {
    this.#instances.set(`${user}\n${contributionId}`, instance);
  }

  get(user: string, contributionId: string): string | null {
    return this.#instances.get(`${user}\n${contributionId}`) ?? null;
  }

  delete(user: string, contributionId: string): void {
    this.#instances.delete(`${user}\n${contributionId}`);
  }
}
