/** Colour, where the output is a terminal that has it. */

export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  message(text: string): string;
  state(text: string): string;
}

const plain = (text: string): string => text;
/** Select Graphic Rendition (ECMA-48 8.3.117): on, text, everything off. */
const styled =
  (code: number) =>
  (text: string): string =>
    `\u001b[${code}m${text}\u001b[0m`;

const NO_PAINT: Paint = { bold: plain, dim: plain, good: plain, message: plain, state: plain };

const COLOURS: Paint = {
  bold: styled(1),
  dim: styled(2),
  good: styled(32),
  message: styled(36),
  state: styled(33),
};

/** Nothing but text where the stream is a file or a pipe, or its user wants no colours. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  return stream.isTTY === true && stream.hasColors() && process.env.NO_COLOR === undefined ? COLOURS : NO_PAINT;
}
