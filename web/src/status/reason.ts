import type { TFunction } from 'i18next';
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import type { WorkerState } from '@/api/resources';
import type en from './en.json';

type ReasonKey = keyof (typeof en)['reason'];
type T = TFunction<'status'>;

// The platform says its reasons in English. These are the sentences that it has; anything else is shown as it came.
const sentences: [RegExp, ReasonKey][] = [
  [/^waiting to be provisioned$/, 'waiting'],
  [/^a bot is being moved; the Worker is deleted after that$/, 'deletedAfterMove'],
  [/^its machine and volume are being deleted$/, 'deleting'],
  [/^its bots are being stopped$/, 'stoppingBots'],
  [/^the tenant is suspended$/, 'suspended'],
  [/^stopped by a person; its volume is kept$/, 'stoppedKept'],
  [/^stopped by a person$/, 'stoppedByPerson'],
  [/^stopped$/, 'stopped'],
  [/^its machine is being changed$/, 'changing'],
  [/^its machine ended by itself$/, 'ended'],
  [/^its machine ran out of memory$/, 'outOfMemory'],
  [/^its machine is being made$/, 'making'],
  [/^its machine is being started$/, 'startingMachine'],
  [/^its image is being fetched$/, 'image'],
  [/^its network is being made$/, 'network'],
  [/^its volume is being made$/, 'volume'],
  [/^its limits are being changed while it runs$/, 'resizing'],
  [/^runs$/, 'runs'],
  [/^up only until a bot has been moved$/, 'upForMove'],
  [/^runs; its agent is older than the platform/, 'agentOld'],
  [/^its disk is nearly full \((?<used>.+) of (?<limit>.+)\)$/, 'diskNearlyFull'],
  [/^its machine runs; waiting for its agent to connect$/, 'connecting'],
  [/^its agent did not connect within (?<seconds>\d+) s$/, 'notConnected'],
  [/^the connection to its agent is lost; its bots go on if the machine does$/, 'connectionLost'],
  [/^its agent could not be reached for (?<seconds>\d+) s; its machine is restarted$/, 'unreachable'],
  [/^its machine could not be made$/, 'notMade'],
  [/^its machine could not be stopped$/, 'notStopped'],
  [/^it could not be deleted$/, 'notDeleted'],
  [/^the engine that runs it does not answer$/, 'engineAway'],
  [/^being handed to its Worker$/, 'handing'],
  [/^its Worker is being provisioned$/, 'workerProvisioning'],
  [/^waiting for its Worker$/, 'waitingForWorker'],
  [/^the move is about to begin$/, 'moveRequested'],
  [/^being stopped in the Worker that it leaves$/, 'moveStopping'],
  [/^its files are on the way to the other Worker$/, 'moveCarrying'],
  [/^being started in its new Worker$/, 'moveSwitched'],
  [/^being removed from the Worker that it left$/, 'moveCleaning'],
  [/^moved$/, 'moved'],
  [/^the move failed; it goes back to where it was$/, 'moveRollingBack'],
  [/^the move failed; it is where it was$/, 'moveFailed'],
  [/^it took too long$/, 'tooLong'],
];

/** A sentence of the platform in the language of t, or the sentence itself when it isn't known. */
export function translateReason(t: T, reason: string): string {
  for (const [pattern, key] of sentences) {
    const match = pattern.exec(reason);
    if (match) return t(`reason.${key}`, { ...(match.groups as { used?: string; limit?: string; seconds?: string }) });
  }
  const parts = (match: RegExpExecArray | null) => match?.groups;

  let g = parts(/^(?<reason>.+); attempt (?<attempt>\d+) failed$/.exec(reason));
  if (g?.reason) return t('composed.attempt', { reason: translateReason(t, g.reason), attempt: g.attempt });

  g = parts(/^(?<reason>.+); it is being started again$/.exec(reason));
  if (g?.reason) return t('composed.again', { reason: translateReason(t, g.reason) });

  g = parts(/^(?<reason>.+); and (?<count>\d+) more bots? needs? attention$/.exec(reason));
  if (g?.reason) return t('composed.more', { reason: translateReason(t, g.reason), count: Number(g.count) });

  g = parts(/^bot (?<name>.+?): (?<reason>.+)$/.exec(reason));
  if (g?.reason) return t('composed.bot', { name: g.name, reason: translateReason(t, g.reason) });

  g = parts(/^its Worker is (?<state>[a-z]+)$/.exec(reason));
  if (g?.state) return t('composed.workerIs', { state: t(`worker.${g.state as WorkerState}`).toLowerCase() });

  g = parts(/^its Worker can't be started: (?<reason>.+)$/.exec(reason));
  if (g?.reason) return t('composed.workerCant', { reason: translateReason(t, g.reason) });

  g = parts(/^(?<reason>[^:]+): (?<rest>.+)$/.exec(reason));
  if (g?.reason && g.rest) {
    const first = translateReason(t, g.reason);
    if (first !== g.reason) return `${first}: ${translateReason(t, g.rest)}`;
  }
  return reason;
}

/** Says the platform's reasons in the person's language, as a sentence. */
export function useReason(): (reason: string) => string {
  const { t } = useTranslation('status');
  return useCallback(
    (reason: string) => {
      const said = translateReason(t, reason);
      return said.charAt(0).toLocaleUpperCase() + said.slice(1);
    },
    [t],
  );
}
