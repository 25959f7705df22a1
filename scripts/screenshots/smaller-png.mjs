/**
 * A screenshot with a palette of at most 256 colours, a third of the size: a page has few colours, and many shades of
 * them at the edges of letters. Reads what Chromium writes: 8 bits, RGB or RGBA, not interlaced (PNG, ISO/IEC 15948).
 */
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const COLOURS = 256;

export function smallerPng(png) {
  const { width, height, channels, data } = chunksOf(png);
  const pixels = unfiltered(inflateSync(data), width, height, channels);
  const palette = paletteOf(pixels, channels);
  const indexed = Buffer.alloc((width + 1) * height);
  const known = new Map();
  for (let at = 0, to = 0; at < pixels.length; at += channels) {
    if (to % (width + 1) === 0) to++;
    const colour = pixels.readUIntBE(at, 3);
    if (!known.has(colour)) known.set(colour, nearest(palette, colour));
    indexed[to++] = known.get(colour);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3], 8);
  const colours = Buffer.alloc(palette.length * 3);
  for (const [at, colour] of palette.entries()) colours.writeUIntBE(colour, at * 3, 3);
  const parts = [chunk('IHDR', header), chunk('PLTE', colours), chunk('IDAT', deflateSync(indexed, { level: 9 }))];
  return Buffer.concat([SIGNATURE, ...parts, chunk('IEND', Buffer.alloc(0))]);
}

function chunksOf(png) {
  const data = [];
  for (let at = SIGNATURE.length; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const channels = png[25] === 6 ? 4 : 3;
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20), channels, data: Buffer.concat(data) };
}

/** Each line says how its bytes were told by their neighbours (9.2). */
function unfiltered(raw, width, height, channels) {
  const length = width * channels;
  const pixels = Buffer.alloc(length * height);
  for (let line = 0; line < height; line++) {
    const filter = raw[line * (length + 1)];
    for (let x = 0; x < length; x++) {
      const at = line * length + x;
      const left = x < channels ? 0 : pixels[at - channels];
      const up = line === 0 ? 0 : pixels[at - length];
      const corner = x < channels || line === 0 ? 0 : pixels[at - length - channels];
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      pixels[at] = raw[line * (length + 1) + 1 + x] + guess;
    }
  }
  return pixels;
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/** The most frequent colours, none of them close to one that is taken already. */
function paletteOf(pixels, channels) {
  const counts = new Map();
  for (let at = 0; at < pixels.length; at += channels) {
    const colour = pixels.readUIntBE(at, 3);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const frequent = [...counts].sort((one, other) => other[1] - one[1]).map(([colour]) => colour);
  if (frequent.length <= COLOURS) return frequent;
  for (let apart = 60; ; apart = Math.floor(apart * 1.5)) {
    const palette = [];
    for (const colour of frequent) {
      if (palette.length > COLOURS) break;
      if (palette.every((taken) => distance(taken, colour) > apart)) palette.push(colour);
    }
    if (palette.length <= COLOURS) return palette;
  }
}

function nearest(palette, colour) {
  let best = 0;
  for (let at = 1; at < palette.length; at++) {
    if (distance(palette[at], colour) < distance(palette[best], colour)) best = at;
  }
  return best;
}

function distance(one, other) {
  const [red, green, blue] = [16, 8, 0].map((shift) => ((one >> shift) & 255) - ((other >> shift) & 255));
  return red * red + green * green + blue * blue;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  whole.set(body, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}
