/** Imports point one way: server → engine → machines; engine → ports (types) ← history, sip, sdp … */
const PURE = '^(machines|src/(engine|sdp|policy|testing)|src/sip/(message|transaction|dialog|proxy|core))/';
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
    {
      name: 'machines-import-xstate-only',
      comment: 'The statecharts stand alone: xstate and their own types.',
      severity: 'error',
      from: { path: '^machines/' },
      to: { pathNot: ['^machines/', '^node_modules/xstate/'] },
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
      from: { path: '^src/sip/' },
      to: { path: '^(machines|src/(engine|history|server|policy|sdp|registrar|preferences))/' },
    },
    {
      name: 'engine-knows-no-drivers',
      comment: 'The engine sees ports; drivers are given to it by the server.',
      severity: 'error',
      from: { path: '^src/engine/' },
      to: { path: '^src/(server|sip-js|sip/(transport|transaction|proxy)|history/(sqlite|imap)|registrar/|preferences/)' },
    },
    { name: 'nothing-imports-server', severity: 'error', from: { pathNot: '^src/server/' }, to: { path: '^src/server/' } },
    { name: 'not-to-dev-dep', severity: 'error', from: { path: '^(src|machines)/' }, to: { dependencyTypes: ['npm-dev'] } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'default', 'types'] },
  },
};
