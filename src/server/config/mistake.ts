/** What is wrong in a file somebody wrote, and where. */

export interface Mistake {
  readonly file: string;
  /** From 1; undefined where the whole file is meant. */
  readonly line: number | undefined;
  /** Path of the key, `policy.mediaPath`; empty for the file as a whole. */
  readonly key: string;
  readonly message: string;
}

export class ConfigError extends Error {
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    super(mistakes.map(mistakeLine).join('\n'));
    this.name = 'ConfigError';
    this.mistakes = mistakes;
  }
}

/** `pf.yaml:12: policy.mediaPath: expected one of …` */
export function mistakeLine({ file, line, key, message }: Mistake): string {
  return `${file}${line === undefined ? '' : `:${line}`}: ${key === '' ? '' : `${key}: `}${message}`;
}
