import { useTranslation } from 'react-i18next';
import type { BotState, WorkerState } from '@/api/resources';
import classes from './StateBadge.module.css';
import { botTone, type Tone, workerTone } from './tone';

/** A dot in the colour of a tone; says nothing by itself, so a word must be near. */
export function ToneDot({ tone }: { tone: Tone }) {
  return <span className={classes.dot} data-tone={tone} aria-hidden />;
}

export function Pill({ tone, label }: { tone: Tone; label: string }) {
  return (
    <span className={classes.pill} data-tone={tone}>
      <ToneDot tone={tone} />
      {label}
    </span>
  );
}

export function WorkerStateBadge({ state }: { state: WorkerState }) {
  const { t } = useTranslation('status');
  return <Pill tone={workerTone[state]} label={t(`worker.${state}`)} />;
}

export function BotStateBadge({ state }: { state: BotState }) {
  const { t } = useTranslation('status');
  return <Pill tone={botTone[state]} label={t(`bot.${state}`)} />;
}
