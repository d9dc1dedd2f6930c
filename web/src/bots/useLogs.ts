import { useEffect, useState } from 'react';
import { ApiError } from '@/api/problem';
import type { LogLine } from '@/api/resources';
import { type Line, LogBuffer } from './logs';

export type LogState = { kind: 'connecting' } | { kind: 'live' } | { kind: 'failed'; error: unknown };

const most = 2_000;
const firstTail = 500;
const retryAfter = 3_000;

/** Follows what a bot writes. A broken stream goes on where it was. */
export function useLogs(tenant: string, bot: string): { lines: readonly Line[]; state: LogState } {
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [state, setState] = useState<LogState>({ kind: 'connecting' });

  useEffect(() => {
    const buffer = new LogBuffer(most);
    let source: EventSource | undefined;
    let retry: ReturnType<typeof setTimeout> | undefined;
    let gather: ReturnType<typeof setTimeout> | undefined;
    let pending: LogLine[] = [];

    const flush = () => {
      gather = undefined;
      buffer.add(pending);
      pending = [];
      setLines(buffer.lines);
    };
    const again = () => {
      source?.close();
      clearTimeout(retry);
      retry = setTimeout(connect, retryAfter);
    };
    const connect = () => {
      const query = new URLSearchParams({ follow: 'true', tail: String(firstTail) });
      if (buffer.since) query.set('since', buffer.since);
      source = new EventSource(
        `/api/v1/tenants/${encodeURIComponent(tenant)}/bots/${encodeURIComponent(bot)}/logs?${query}`,
      );
      source.onopen = () => setState({ kind: 'live' });
      source.addEventListener('line', (event) => {
        pending.push(JSON.parse((event as MessageEvent<string>).data) as LogLine);
        gather ??= setTimeout(flush, 60);
      });
      source.addEventListener('end', again);
      // The same name has two meanings: the server's own event carries a problem, the browser's says that the
      // connection is gone.
      source.addEventListener('error', (event) => {
        const data = (event as MessageEvent<string | undefined>).data;
        let error = new ApiError({ status: 0, code: 'unavailable', message: '' });
        if (data) {
          const problem = JSON.parse(data) as { status?: number; code?: string; detail?: string };
          error = new ApiError({
            status: problem.status ?? 500,
            code: problem.code ?? 'internal',
            message: problem.detail ?? '',
          });
        }
        setState({ kind: 'failed', error });
        again();
      });
    };
    connect();
    return () => {
      source?.close();
      clearTimeout(retry);
      clearTimeout(gather);
    };
  }, [tenant, bot]);

  return { lines, state };
}
