/** What has been recorded, over HTTP: folders of a user, what is in one, one object as it is stored. */
import type { FastifyInstance } from 'fastify';
import type { StoredObject } from '../../history/driver.ts';
import type { Server } from '../server.ts';
import { answerOf, notFound } from './answers.ts';

const NOTHING_RECORDED = 'nothing is recorded: history.driver is none';

type FolderParams = { Params: { user: string; conversation: string; contribution: string; uid?: string } };

export function historyRoutes(app: FastifyInstance, server: Server): void {
  const { history } = server;
  app.get<{ Params: { user: string } }>('/api/history/:user', async (request, reply) => {
    if (history === undefined) return notFound(reply, NOTHING_RECORDED);
    return { folders: await answerOf<unknown>((done) => history.folders(request.params.user, done)) };
  });
  app.get<FolderParams>('/api/history/:user/:conversation/:contribution', async (request, reply) => {
    if (history === undefined) return notFound(reply, NOTHING_RECORDED);
    const folder = folderOf(request.params);
    const objects = await answerOf<readonly StoredObject[]>((done) => history.objects(folder, done));
    const pointers = await answerOf<unknown>((done) => history.pointers(folder, done));
    return { pointers, objects: objects.map(({ uid, content }) => ({ uid, ...outline(content) })) };
  });
  app.get<FolderParams>('/api/history/:user/:conversation/:contribution/:uid', async (request, reply) => {
    if (history === undefined) return notFound(reply, NOTHING_RECORDED);
    const folder = folderOf(request.params);
    const objects = await answerOf<readonly StoredObject[]>((done) => history.objects(folder, done));
    const object = objects.find(({ uid }) => String(uid) === request.params.uid);
    if (object === undefined) return notFound(reply, 'no such object (the folder lists those that are there)');
    return reply.type('message/rfc822').send(Buffer.from(object.content, 'latin1'));
  });
}

function folderOf(params: { user: string; conversation: string; contribution: string }) {
  return { user: params.user, conversationId: params.conversation, contributionId: params.contribution };
}

/** Type and size of a stored object, and its date. */
function outline(content: string): { type: string; date: string; bytes: number } {
  const value = (name: string): string => new RegExp(`^${name}: (.*)$`, 'mi').exec(content)?.[1]?.trim() ?? '';
  return { type: value('Content-Type'), date: value('Date'), bytes: content.length };
}
