/**
 * Messages a second that one connection to an IMAP server takes: one by one, and as many together as wait.
 * `npm run --silent build && node bench/imap.mjs imap://127.0.0.1:143 alice@home.example PASSWORD [messages]`
 */
const [url, user, password, messages = '2000'] = process.argv.slice(2);
const { imapHistory } = await import(new URL('../dist/src/history/index.js', import.meta.url).href);
const store = imapHistory({ url, password, connections: 1 });
const asked = (work) =>
  new Promise((resolve, reject) => work((error, value) => (error ? reject(error) : resolve(value))));
const object = `Content-Type: text/plain\r\n\r\n${'x'.repeat(1024)}\r\n`;
const TOGETHER = 64;

async function measured(name, round, each) {
  const folder = { user: `sip:${user}`, conversationId: `bench-${name}-${Date.now()}`, contributionId: String(round) };
  await asked((done) => store.openFolder(folder, done));
  const began = performance.now();
  const count = Number(messages);
  for (let at = 0; at < count; at += each) {
    const objects = Array.from({ length: Math.min(each, count - at) }, (_, more) => ({ key: `k${at + more}`, object }));
    if (each === 1) await asked((done) => store.append(folder, objects[0].key, object, done));
    else await asked((done) => store.appendAll(folder, objects, done));
  }
  return count / ((performance.now() - began) / 1000);
}

const rates = { alone: [], together: [] };
for (let round = 0; round < 3; round++) {
  rates.alone.push(await measured('alone', round, 1));
  rates.together.push(await measured('together', round, TOGETHER));
}
store.close();
const median = (all) => all.sort((a, b) => a - b)[1];
console.log(`${messages} messages of 1 KB over one connection, median of three rounds`);
console.log(`  one by one          ${median(rates.alone).toFixed(0).padStart(6)} messages/s`);
console.log(`  up to ${TOGETHER} together   ${median(rates.together).toFixed(0).padStart(6)} messages/s`);
