/** What was recorded: folders of a user, objects of a folder, one object, everything of a folder, a page for people. */
import type { FastifyInstance } from 'fastify';
import type { HistoryReader, StoredObject } from '../../history/driver.ts';
import type { FolderRef } from '../../history/intent.ts';
import { partOf } from '../../history/objects/parts.ts';
import { conversationPage } from '../../history/page/page.ts';
import { answerOf, notFound } from './answers.ts';

type FolderParams = { Params: { user: string; conversation: string; contribution: string; uid?: string } };

const FOLDER = '/api/history/:user/:conversation/:contribution';

export function historyRoutes(app: FastifyInstance, history: HistoryReader | undefined): void {
  if (history === undefined) {
    app.get('/api/history/*', async (_request, reply) =>
      notFound(reply, 'nothing is recorded: history.driver is none'),
    );
    return;
  }
  const objectsOf = (folder: FolderRef) => answerOf<readonly StoredObject[]>((done) => history.objects(folder, done));
  const pointersOf = (folder: FolderRef) => answerOf<unknown>((done) => history.pointers(folder, done));

  app.get<{ Params: { user: string } }>('/api/history/:user', async ({ params }) => ({
    folders: await answerOf<unknown>((done) => history.folders(params.user, done)),
  }));
  app.get<FolderParams>(FOLDER, async ({ params }) => {
    const objects = await objectsOf(folderOf(params));
    return { pointers: await pointersOf(folderOf(params)), objects: objects.map(outline) };
  });
  app.get<FolderParams>(`${FOLDER}/export`, async ({ params }) => {
    const objects = await objectsOf(folderOf(params));
    const whole = (object: StoredObject) => ({ ...outline(object), base64: bytesOf(object).toString('base64') });
    return { pointers: await pointersOf(folderOf(params)), objects: objects.map(whole) };
  });
  app.get<FolderParams>(`${FOLDER}/page`, async ({ params }, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
      .send(conversationPage(folderOf(params), await objectsOf(folderOf(params)))),
  );
  app.get<FolderParams>(`${FOLDER}/:uid`, async ({ params }, reply) => {
    const object = (await objectsOf(folderOf(params))).find(({ uid }) => String(uid) === params.uid);
    if (object === undefined) return notFound(reply, 'no such object (the folder lists those that are there)');
    return reply.type('message/rfc822').send(bytesOf(object));
  });
}

function folderOf(params: FolderParams['Params']): FolderRef {
  return { user: params.user, conversationId: params.conversation, contributionId: params.contribution };
}

/** Type and size of a stored object, and its date. */
function outline({ uid, content }: StoredObject): { uid: number; type: string; date: string; bytes: number } {
  const { headers } = partOf(content);
  const [type = '', date = ''] = [headers.get('content-type'), headers.get('date')];
  return { uid, type, date, bytes: content.length };
}

function bytesOf({ content }: StoredObject): Buffer {
  return Buffer.from(content, 'latin1');
}
