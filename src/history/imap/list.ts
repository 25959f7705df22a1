/** The conversations of a user: every folder two levels below the root. */
import type { ImapResponse } from 'imapflow';
import type { FolderSummary } from '../driver.ts';
import { type Argument, type ImapConnection, tokenText } from './connection.ts';
import { idOfFolder } from './folder-name.ts';
import { atom, itemsOf, listOf } from './mailbox.ts';

const STATUS: Argument = [atom('MESSAGES'), atom('UIDVALIDITY')];

/**
 * Newest last: a server gives each folder it makes a greater UIDVALIDITY, most by the clock (RFC 3501 2.3.1.1). Folders
 * of another form than ours, and the Conversation-ID level itself, which holds nothing, are left out.
 */
export async function listFolders(
  connection: ImapConnection,
  root: readonly string[],
  user: string,
): Promise<FolderSummary[]> {
  const names: string[] = [];
  const status = new Map<string, { readonly objects: number; readonly age: number }>();
  const each = {
    LIST: ({ attributes }: ImapResponse): void => {
      const flags = listOf(attributes?.[0]).map((flag) => tokenText(flag).toLowerCase());
      if (!flags.includes('\\noselect') && !flags.includes('\\nonexistent')) names.push(tokenText(attributes?.[2]));
    },
    STATUS: ({ attributes }: ImapResponse): void => {
      const items = itemsOf(attributes?.[1]);
      const [objects, age] = ['MESSAGES', 'UIDVALIDITY'].map((item) => Number(tokenText(items.get(item))));
      status.set(tokenText(attributes?.[0]), { objects: objects ?? 0, age: age ?? 0 });
    },
  };
  const { prefix, delimiter } = connection;
  const pattern = connection.encoded(prefix + [...root, '%', '%'].join(delimiter));
  const inline = connection.can('LIST-STATUS');
  await connection.command('LIST', ['', pattern, ...(inline ? [atom('RETURN'), [atom('STATUS'), STATUS]] : [])], each);
  if (!inline) for (const name of names) await connection.command('STATUS', [name, STATUS], each);
  return names
    .map((name) => ({ levels: connection.decoded(name).split(delimiter), ...status.get(name) }))
    .sort((left, right) => (left.age ?? 0) - (right.age ?? 0))
    .map(({ levels, objects = 0 }) => {
      const [conversationId = '', contributionId = ''] = levels.slice(-2).map(idOfFolder);
      return { user, conversationId, contributionId, objects };
    });
}
