/** SIGTERM and SIGINT end gracefully; a second one ends at once. Resolves at the first; `told` hears of it before. */
export function stopAsked(told: () => void): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const ask = (): void => {
      if (asked) process.exit(0);
      asked = true;
      told();
      resolve();
    };
    process.on('SIGTERM', ask);
    process.on('SIGINT', ask);
  });
}
