import type { Bot, Worker } from '@/api/resources';
import { botTone, type Tone, toneOrder, workerTone } from '@/status/tone';
import { nearLimit } from '@/ui/limits';
import type { CurrentUse } from '@/usage/current';

export interface Attention {
  kind: 'worker' | 'bot';
  id: string;
  name: string;
  tone: Tone;
  worker?: Worker;
  bot?: Bot;
  since: string;
}

const asks = (tone: Tone) => tone === 'bad' || tone === 'warn';

/**
 * What a person should look at, worst and longest first. A Worker that only says which of its bots is unwell is left
 * out: the bot says it itself.
 */
export function attentionOf(workers: readonly Worker[], bots: readonly Bot[]): Attention[] {
  const found: Attention[] = [];
  for (const bot of bots) {
    const tone = botTone[bot.status.state];
    if (asks(tone)) found.push({ kind: 'bot', id: bot.id, name: bot.name, tone, bot, since: bot.status.since });
  }
  for (const worker of workers) {
    const tone = workerTone[worker.status.state];
    if (!asks(tone)) continue;
    if (worker.status.state === 'degraded' && /^bot .+: /.test(worker.status.reason)) continue;
    found.push({ kind: 'worker', id: worker.id, name: worker.name, tone, worker, since: worker.status.since });
  }
  return found.sort(
    (a, b) =>
      toneOrder[a.tone] - toneOrder[b.tone] ||
      (a.kind === b.kind ? 0 : a.kind === 'worker' ? -1 : 1) ||
      Date.parse(a.since) - Date.parse(b.since),
  );
}

export interface NearLimit {
  worker: Worker;
  resource: 'cpu' | 'memory' | 'disk';
  share: number;
}

/** Workers that use most of what they may, by what they used in the last minute. */
export function nearLimits(workers: readonly Worker[], use: ReadonlyMap<string, CurrentUse>): NearLimit[] {
  const found: NearLimit[] = [];
  for (const worker of workers) {
    const now = use.get(worker.id);
    if (!now || !['ok', 'warn'].includes(workerTone[worker.status.state])) continue;
    const shares = [
      { resource: 'disk', share: now.diskGib / worker.size.disk_gib },
      { resource: 'memory', share: now.memoryMib / worker.size.memory_mib },
      { resource: 'cpu', share: now.cpuMillis / worker.size.cpu_millis },
    ] as const;
    const nearest = shares.find((s) => s.share >= nearLimit);
    if (nearest) found.push({ worker, ...nearest });
  }
  return found.sort((a, b) => b.share - a.share);
}
