/** What keeps a capture from being read: said to whoever gave the file, with the way out where there is one. */
export class CaptureError extends Error {}
