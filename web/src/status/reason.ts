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
  [/^the engine has no runtime named runc or crun$/, 'noContainer'],
  [/^the engine has no runtime named runsc/, 'noSandbox'],
  [/^the engine has no runtime whose name begins with kata/, 'noVm'],
  [/^the process engine isolates nothing/, 'processEngine'],
  [/^started$/, 'started'],
  [/^its files are on the way$/, 'botFiles'],
  [/^its directory is being copied$/, 'botCopying'],
  [/^stopped for a move$/, 'stoppedForMove'],
  [/^being stopped$/, 'beingStopped'],
  [/^a restart was asked for$/, 'restartAsked'],
  [/^its settings have changed$/, 'settingsChanged'],
  [/^the Worker is being stopped$/, 'workerStopping'],
  [/^it is moved to another Worker$/, 'movedAway'],
  [/^it (?:should not run|doesn't belong to this Worker any more)$/, 'notWanted'],
  [/^ended well$/, 'endedWell'],
  [/^was killed \(signal 9\), as happens when memory runs out$/, 'killed'],
  [/^was ended because it wrote a file as large as the disk$/, 'fileTooLarge'],
  [/^was ended by signal (?<number>\d+) \(.+\)$/, 'signal'],
  [/^ended with code (?<code>\d+)$/, 'exit'],
  [
    /^stopped because the Worker's disk is full \((?<used>[\d.]+) of (?<limit>[\d.]+) GiB\); it starts again when there is room$/,
    'diskFull',
  ],
  [/^nothing listens on port (?<port>\d+)$/, 'nothingListens'],
  [/^(?<what>.+) did not answer within (?<time>.+)$/, 'noAnswer'],
  [/^GET (?<path>\S+) answered (?<status>.+)$/, 'answered'],
  [/^there is no program (?<name>.+) in its files or the Worker's image$/, 'noProgram'],
  [/^(?<name>.+) may not be executed(?:: its file has no x permission)?$/, 'notExecutable'],
];

/** Sentences that hold another sentence. */
function composedReason(t: T, reason: string): string | undefined {
  const match = (pattern: RegExp) => pattern.exec(reason)?.groups as Record<string, string> | undefined;
  const inner = (g: Record<string, string>) => translateReason(t, g.reason ?? '');

  let g = match(/^(?<reason>.+); next start in (?<seconds>\d+) s$/);
  if (g) return t('composed.next', { reason: inner(g), seconds: g.seconds });

  g = match(/^(?<reason>.+); attempt (?<attempt>\d+) failed$/);
  if (g) return t('composed.attempt', { reason: inner(g), attempt: g.attempt });

  g = match(/^(?<reason>.+); it is being started again$/);
  if (g) return t('composed.again', { reason: inner(g) });

  g = match(/^(?<reason>.+); and (?<count>\d+) more bots? needs? attention$/);
  if (g) return t('composed.more', { reason: inner(g), count: Number(g.count) });

  g = match(/^bot (?<name>.+?): (?<reason>.+)$/);
  if (g) return t('composed.bot', { name: g.name, reason: inner(g) });

  g = match(/^its health check failed (?<count>\d+) times? in a row: (?<reason>.+)$/);
  if (g) return t('composed.health', { reason: inner(g), count: Number(g.count) });

  g = match(/^(?<reason>.+), (?<count>\d+) times? in a row$/);
  if (g) return t('composed.row', { reason: inner(g), count: Number(g.count) });

  g = match(/^(?<reason>.+) and its restart policy is never$/);
  if (g) return t('composed.never', { reason: inner(g) });

  g = match(/^can't be started: (?<reason>.+)$/);
  if (g) return t('composed.cant', { reason: inner(g) });

  g = match(/^stopping: (?<reason>.+)$/);
  if (g) return t('composed.stopping', { reason: inner(g) });

  g = match(/^its Worker can't be started: (?<reason>.+)$/);
  if (g) return t('composed.workerCant', { reason: inner(g) });

  g = match(/^its Worker is (?<state>[a-z]+)$/);
  if (g) return t('composed.workerIs', { state: t(`worker.${g.state as WorkerState}`).toLowerCase() });
  return undefined;
}

/** A sentence of the platform in the language of t, or the sentence itself when it isn't known. */
export function translateReason(t: T, reason: string): string {
  const composed = composedReason(t, reason);
  if (composed !== undefined) return composed;
  for (const [pattern, key] of sentences) {
    const match = pattern.exec(reason);
    if (match) return t(`reason.${key}`, { ...(match.groups as Record<'used' | 'limit' | 'seconds', string>) });
  }

  const g = /^(?<reason>[^:]+): (?<rest>.+)$/.exec(reason)?.groups;
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
