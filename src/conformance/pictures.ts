/** The pictures of `visualizations/`: which there are, what is under each, and the page that shows them. */
import { messageMachine } from '../../machines/message/machine.ts';
import { sessionMachine } from '../../machines/session/machine.ts';
import { type Chart, chartOf } from '../inspect/chart.ts';
import { type Elk, layOut } from '../inspect/chart-layout.ts';
import { chartSvg } from '../inspect/chart-svg.ts';
import { stateView, type View, wholeView } from '../inspect/chart-view.ts';
import { sequenceSvg } from '../inspect/sequence.ts';
import { BYE_SCENES, type Scene } from './scenes/byes.ts';
import { CALL_SCENES } from './scenes/calls.ts';

interface ChartPicture {
  /** File, from `visualizations/`. */
  readonly file: string;
  readonly title: string;
  readonly about: string;
  readonly view: View;
}

const CHART = chartOf(sessionMachine);

const WHOLE: ChartPicture = {
  file: 'statechart/session.svg',
  title: 'The whole session',
  about: 'Both regions; on the arrows, the events that take a session from one state to the other.',
  view: wholeView(CHART),
};

const STATES: readonly ChartPicture[] = [
  state(
    'call.inviting.authorising',
    'Steps 1 to 3 of 8.2.2.1 and 1 to 5 of 8.3.2.1: refusals, in the order of the text.',
  ),
  state(
    'call.inviting.choosingRoute',
    'The mode is fixed, and the invitation goes to the core, to a client or to the ISF.',
  ),
  state(
    'call.inviting.ringing',
    'Invited; responses of the far side, CANCEL, redirection, interworking after a failure.',
  ),
  state('call.inviting.answering', 'A second IWF is tried for the streams the first one rejected (A-12).'),
  state('call.proxying', 'As proxy: forwards, and forgets.'),
  state('call.b2buaEstablished', 'As B2BUA with the other CPM entity or the client.'),
  state('call.interworking', 'As B2BUA with one IWF or several.'),
  state('call.tearingDown', 'The one way to end: sealed, told, answered.'),
  state('recording', "The conversation's history, beside the call."),
];

const MESSAGE_CHART = chartOf(messageMachine);

const MESSAGE: readonly ChartPicture[] = [
  {
    file: 'statechart/message.svg',
    title: 'The whole message',
    about: 'From the MESSAGE to the answer, or to the client that registers days later.',
    view: wholeView(MESSAGE_CHART),
  },
  messageState('judging', 'The questions of 8.2.2.1 and 8.3.2.1, asked of a message.'),
  messageState('passing', 'Sent on, as by a proxy; its sender waits.'),
  messageState('kept', 'Its sender has a 202; the function delivers it, in order.'),
  messageState('ending', 'The one way to end; who was promised too much is told.'),
];

function state(path: string, about: string): ChartPicture {
  return picture(CHART, path, path.split('.').at(-1) ?? path, path.replace('call.', ''), about);
}

function messageState(path: string, about: string): ChartPicture {
  return picture(MESSAGE_CHART, path, `message-${path}`, `message: ${path}`, about);
}

function picture(of: Chart, path: string, name: string, title: string, about: string): ChartPicture {
  return { file: `statechart/${name}.svg`, title, about, view: stateView(of, path) };
}

/** Name and text of each picture and of the page with all of them. The same code gives the same bytes. */
export async function pictures(elk: Elk): Promise<[name: string, text: string][]> {
  const files: [string, string][] = [];
  for (const { file, view } of [WHOLE, ...STATES, ...MESSAGE]) files.push([file, chartSvg(await layOut(elk, view))]);
  for (const scene of [...BYE_SCENES, ...CALL_SCENES]) {
    files.push([sceneFile(scene), sequenceSvg(scene.play().sequence(scene.title))]);
  }
  return [...files, ['README.md', indexPage()]];
}

function sceneFile(scene: Scene): string {
  return `sequences/${scene.name}.svg`;
}

function indexPage(): string {
  const chart = ({ file, title, about }: ChartPicture): string[] => [
    `### ${title}`,
    '',
    about,
    '',
    image(title, file),
    '',
  ];
  const scenes = (list: readonly Scene[]): string[] =>
    list.flatMap((scene) => [`### ${scene.title}`, '', image(scene.title, sceneFile(scene)), '']);
  const lines = [
    '# Pictures',
    '',
    'Generated from the code by `cpm-engine visualize`; CI compares them byte for byte (`cpm-engine visualize --check`).',
    '',
    '- [The whole session](#the-whole-session), and [each major state](#each-major-state) of the statechart',
    '- [Pager-mode messages](#pager-mode-messages), a chart of their own',
    '- [How sessions end](#how-sessions-end): each row of the BYE table',
    '- [Call flows](#call-flows)',
    '- [The playground](playground.html): download it and open it in a browser; two users, two functions and an ISF to play',
    '  with, messages to drop and processes to kill, the invariants watching',
    '- [The conformance matrix](conformance.md): each clause, where it is built, which tests prove it',
    '- [The schema of the configuration](config.schema.json), and of [the reference ISF](isf.schema.json)',
    '',
    '## The statechart',
    '',
    'Boxes within a box are its states, a dashed frame is a region that runs beside the others, a dot shows where a state',
    'begins, a double frame is an end. Events are **bold**, guards stand in brackets, actions after a slash, and in small',
    'letters below them the clauses of the change request that they fulfil. `2/5` is the second of five candidates for the',
    'same event: the first whose guard holds is taken. What stands in a box itself happens without leaving the state.',
    '',
    ...chart(WHOLE),
    '## Each major state',
    '',
    'Pills are states of other pictures.',
    '',
    ...STATES.flatMap(chart),
    '## Pager-mode messages',
    '',
    ...MESSAGE.flatMap(chart),
    '## How sessions end',
    '',
    'Every message here was sent in the virtual world of `cpm-engine/testing` by the engine on its SIP stack. Blue pills are',
    'the states it went through, green ones what the message store did.',
    '',
    ...scenes(BYE_SCENES),
    '## Call flows',
    '',
    ...scenes(CALL_SCENES),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function image(title: string, file: string): string {
  return `[![${title}](${file})](${file})`;
}
