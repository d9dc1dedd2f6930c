import { IconCpu, IconDatabase, IconDeviceSdCard, IconDots, IconRobot } from '@tabler/icons-react';
import type { TFunction } from 'i18next';
import { memo, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Bot, Worker } from '@/api/resources';
import { useFormat } from '@/i18n/format';
import { useReason } from '@/status/reason';
import { ToneDot, WorkerStateBadge } from '@/status/StateBadge';
import { botTone, workerTone } from '@/status/tone';
import { nearLimit } from '@/ui/limits';
import type { CurrentUse } from '@/usage/current';
import classes from './WorkerBox.module.css';

interface Props {
  /** The address of a Worker's or bot's page. */
  hrefOf: HrefOf;
  worker: Worker;
  bots: Bot[];
  use: CurrentUse | undefined;
  canMove: boolean;
  dragging: Dragging | undefined;
  onDropBot: (bot: Bot, to: string) => void;
  onChoose: (bot: Bot) => void;
  onMenu: (bot: Bot, element: HTMLElement) => void;
}

type Dragging = typeof import('./dragging');
export type HrefOf = (kind: 'workers' | 'bots', id: string) => string;

const isBot = (data: Record<string, unknown>): data is { bot: Bot } => 'bot' in data;

/**
 * One Worker on the board: its state, its capacity, its bots. Bots can be dropped on it. Its links are plain ones that
 * the board follows: a link of the router each would make scrolling through thousands of bots stutter.
 */
export const WorkerBox = memo(function WorkerBox({
  hrefOf,
  worker,
  bots,
  use,
  canMove,
  dragging,
  onDropBot,
  onChoose,
  onMenu,
}: Props) {
  const { t } = useTranslation(['workers', 'status']);
  const say = useReason();
  const ref = useRef<HTMLElement>(null);
  const [over, setOver] = useState(false);
  const takes = canMove && worker.desired !== 'deleted';

  useEffect(() => {
    const element = ref.current;
    if (!element || !takes || !dragging) return;
    return dragging.dropTargetForElements({
      element,
      canDrop: ({ source }) => isBot(source.data) && source.data.bot.worker_id !== worker.id,
      onDragEnter: () => setOver(true),
      onDragLeave: () => setOver(false),
      onDrop: ({ source }) => {
        setOver(false);
        if (isBot(source.data)) onDropBot(source.data.bot, worker.id);
      },
    });
  }, [worker.id, takes, dragging, onDropBot]);

  const tone = workerTone[worker.status.state];
  const calm = tone === 'ok' || tone === 'off';
  return (
    <article ref={ref} className={classes.box} data-over={over || undefined} data-tone={tone} aria-label={worker.name}>
      <header className={classes.head}>
        <a href={hrefOf('workers', worker.id)} className={classes.name}>
          {worker.name}
        </a>
        <WorkerStateBadge state={worker.status.state} />
      </header>
      <Capacity worker={worker} use={tone === 'ok' || tone === 'warn' ? use : undefined} />
      {!calm && <p className={classes.reason}>{say(worker.status.reason)}</p>}
      {bots.length > 0 ? (
        <ul className={classes.bots} aria-label={t('board.botsOf', { name: worker.name })}>
          {bots.map((bot) => (
            <BotChip
              key={bot.id}
              t={t}
              hrefOf={hrefOf}
              bot={bot}
              canMove={canMove}
              dragging={dragging}
              onChoose={onChoose}
              onMenu={onMenu}
            />
          ))}
        </ul>
      ) : (
        <div className={classes.empty}>
          <IconRobot size={18} stroke={1.6} aria-hidden />
          {canMove ? t('board.emptyDrop') : t('board.empty')}
        </div>
      )}
    </article>
  );
});

function Capacity({ worker, use }: { worker: Worker; use: CurrentUse | undefined }) {
  const { t } = useTranslation('workers');
  const format = useFormat();
  const { size } = worker;
  return (
    <dl className={classes.capacity}>
      <Limit
        icon={<IconCpu size={14} stroke={1.7} aria-hidden />}
        name={t('cpu')}
        text={format.cpu(size.cpu_millis)}
        share={use && use.cpuMillis / size.cpu_millis}
      />
      <Limit
        icon={<IconDeviceSdCard size={14} stroke={1.7} aria-hidden />}
        name={t('memory')}
        text={format.memory(size.memory_mib)}
        share={use && use.memoryMib / size.memory_mib}
      />
      <Limit
        icon={<IconDatabase size={14} stroke={1.7} aria-hidden />}
        name={t('disk')}
        text={format.disk(size.disk_gib)}
        share={use && use.diskGib / size.disk_gib}
      />
    </dl>
  );
}

function Limit({
  icon,
  name,
  text,
  share,
}: {
  icon: React.ReactNode;
  name: string;
  text: string;
  share: number | undefined;
}) {
  const format = useFormat();
  const used = Math.min(1, share ?? 0);
  return (
    <div className={classes.limit} title={share === undefined ? name : `${name}: ${format.percent(share)}`}>
      <dt>
        {icon}
        <span className={classes.hidden}>{name}</span>
      </dt>
      <dd className="numeric">
        {text}
        {share !== undefined && <span className={classes.hidden}> ({format.percent(share)})</span>}
        <span className={classes.bar} data-tone={used >= nearLimit ? 'warn' : undefined}>
          <span style={{ width: `${used * 100}%` }} />
        </span>
      </dd>
    </div>
  );
}

interface ChipProps {
  t: TFunction<['workers', 'status']>;
  hrefOf: HrefOf;
  bot: Bot;
  canMove: boolean;
  dragging: Dragging | undefined;
  onChoose: (bot: Bot) => void;
  onMenu: (bot: Bot, element: HTMLElement) => void;
}

/** A bot on the board: drag it, or press M or its menu to choose where it goes. */
const BotChip = memo(function BotChip({ t, hrefOf, bot, canMove, dragging, onChoose, onMenu }: ChipProps) {
  const ref = useRef<HTMLLIElement>(null);
  const [dragged, setDragged] = useState(false);
  const moving = Boolean(bot.move_id);
  const movable = canMove && !moving;

  useEffect(() => {
    const element = ref.current;
    if (!element || !movable || !dragging) return;
    return dragging.draggable({
      element,
      getInitialData: () => ({ bot }),
      onDragStart: () => setDragged(true),
      onDrop: () => setDragged(false),
    });
  }, [bot, movable, dragging]);

  const state = t(`status:bot.${bot.status.state}`);
  return (
    <li ref={ref} className={classes.chip} data-dragging={dragged || undefined} data-moving={moving || undefined} data-movable={movable || undefined}>
      <ToneDot tone={botTone[bot.status.state]} />
      <a
        href={hrefOf('bots', bot.id)}
        className={classes.botName}
        draggable={false}
        title={`${bot.name} · ${state}`}
        onKeyDown={(e) => {
          if (movable && e.key.toLowerCase() === 'm' && !e.ctrlKey && !e.metaKey && !e.altKey) {
            e.preventDefault();
            onChoose(bot);
          }
        }}
      >
        {bot.name}
        <span className={classes.hidden}>, {state}</span>
      </a>
      {bot.status.state !== 'running' && <span className={classes.botState}>{state}</span>}
      <button
        type="button"
        className={classes.more}
        aria-label={t('board.menuOf', { name: bot.name })}
        aria-haspopup="menu"
        onClick={(e) => onMenu(bot, e.currentTarget)}
      >
        <IconDots size={16} aria-hidden />
      </button>
    </li>
  );
}); // biome-ignore format: attributes in one line
