/**
 * Imports point one way: server → engine → machines; engine → ports (types) ← history, sip, sdp …
 * The compiled files are read, so that what is only a type at compile time does not count.
 */
const PURE =
  '^dist/(machines|src/(engine|sdp|policy|testing|time|trace|capture|playground)|src/msrp/(message|session|relay|[^/]+\\.js)|src/sip/(message|transaction|dialog|user-agent|proxy|locate)|src/sip/[^/]+\\.js|src/history/(objects|outbox|record|memory|intent|driver))';
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'machines-import-xstate-only',
      comment: 'The statecharts stand alone.',
      severity: 'error',
      from: { path: '^dist/machines/' },
      to: { pathNot: ['^dist/machines/', '^node_modules/xstate/'] },
    },
    {
      name: 'pure-core-without-node',
      comment: 'No I/O above the ports; the core runs in a browser too.',
      severity: 'error',
      from: { path: PURE },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'sip-knows-no-engine',
      severity: 'error',
      from: { path: '^dist/src/sip/' },
      to: { path: '^dist/(machines|src/(engine|history|server|policy|sdp|registrar|preferences|store))/' },
    },
    {
      name: 'engine-knows-no-drivers',
      comment: 'The engine sees ports; drivers are given to it by the server.',
      severity: 'error',
      from: { path: '^dist/src/engine/' },
      to: {
        path: '^dist/src/(server|host|sip-js|store|registrar|preferences|sip/(transport|transaction|user-agent)|history/(sqlite|imap))',
      },
    },
    {
      name: 'msrp-codec-stands-alone',
      comment: 'The codec knows wire strings and nothing of sessions, relays or sockets.',
      severity: 'error',
      from: { path: '^dist/src/msrp/message/' },
      to: { pathNot: ['^dist/src/msrp/message/', '^dist/src/sip/message/bytes'] },
    },
    {
      name: 'nothing-imports-server',
      severity: 'error',
      from: { pathNot: '^dist/src/server/' },
      to: { path: '^dist/src/server/' },
    },
    { name: 'not-to-dev-dep', severity: 'error', from: { path: '^dist/' }, to: { dependencyTypes: ['npm-dev'] } },
  ],
  options: { doNotFollow: { path: 'node_modules' }, exclude: { path: '\\.d\\.ts$' } },
};
