/** How the page of a conversation looks, on a screen and on paper. */
export const STYLE = `
:root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif; }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1rem; margin: 0 0 .3rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0; font-size: .85rem; }
dt { opacity: .65; } dd { margin: 0; overflow-wrap: anywhere; } ul { margin: .3rem 0 0; font-size: .85rem; }
main { display: flex; flex-direction: column; gap: .6rem; margin-top: 1.5rem; }
article { border: 1px solid #8886; border-radius: .6rem; padding: .5rem .8rem; break-inside: avoid; }
.session, .state { border-style: dashed; }
.chat { max-width: 80%; align-self: flex-start; } .chat.out { align-self: flex-end; background: #4a90d922; }
.notification { border: 0; padding: 0; align-self: center; font-size: .8rem; opacity: .7; } .notification p { margin: 0; }
.line { margin: 0; font-size: .75rem; opacity: .7; } .file { font-style: italic; margin: .2rem 0 0; }
pre { margin: .2rem 0 0; font: inherit; white-space: pre-wrap; overflow-wrap: anywhere; }
@media print { :root { color-scheme: light; } body { margin: 0; max-width: none; } article { background: none !important; } }
`;
