/** Where a chart is, as people and filters read it: `kept.waiting`. */
export function statePath(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[name, inner] = ['', '']] = Object.entries(value as object);
  return `${name}.${statePath(inner)}`;
}
