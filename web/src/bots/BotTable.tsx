import {
  IconArrowsExchange,
  IconBrandTelegram,
  IconBrandWhatsapp,
  IconCode,
  IconMessageChatbot,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { memo, useLayoutEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Bot } from '@/api/resources';
import { useMoving } from '@/moves/MovesProvider';
import { useReason } from '@/status/reason';
import { BotStateBadge } from '@/status/StateBadge';
import { usePermissions, useTenantSlug } from '@/tenants/queries';
import { RelativeTime } from '@/ui/RelativeTime';
import classes from './BotTable.module.css';

const rowHeight = 61;

/** Bots as a table. Rows out of sight are left out. */
export function BotTable({ bots, workerNames }: { bots: Bot[]; workerNames: ReadonlyMap<string, string> }) {
  const { t } = useTranslation(['bots', 'workers']);
  const tenant = useTenantSlug();
  const may = usePermissions();
  const { choose } = useMoving();
  const ref = useRef<HTMLDivElement>(null);
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => {
    if (ref.current) setOffset(ref.current.getBoundingClientRect().top + window.scrollY);
  }, []);
  const virtualizer = useWindowVirtualizer({
    count: bots.length,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollMargin: offset,
  });
  const rows = virtualizer.getVirtualItems();
  const before = (rows[0]?.start ?? offset) - offset;
  const after = virtualizer.getTotalSize() - ((rows.at(-1)?.end ?? offset) - offset);
  const columns = may.changeBots ? 5 : 4;
  return (
    <div ref={ref} className={classes.frame}>
      <table className={classes.table} aria-rowcount={bots.length + 1}>
        <thead>
          <tr>
            <th scope="col" data-column="name">
              {t('column.name')}
            </th>
            <th scope="col" data-column="state">
              {t('column.state')}
            </th>
            <th scope="col" data-column="worker">
              {t('column.worker')}
            </th>
            <th scope="col" data-column="since">
              {t('column.since')}
            </th>
            {may.changeBots && (
              <th scope="col" data-column="actions">
                <span className={classes.hidden}>{t('column.actions')}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {before > 0 && (
            <tr aria-hidden>
              <td colSpan={columns} style={{ height: before, padding: 0 }} />
            </tr>
          )}
          {rows.map((row) => {
            const bot = bots[row.index];
            return (
              bot && (
                <Row
                  key={bot.id}
                  index={row.index}
                  tenant={tenant}
                  bot={bot}
                  worker={workerNames.get(bot.worker_id) ?? ''}
                  onMove={may.changeBots ? choose : undefined}
                />
              )
            );
          })}
          {after > 0 && (
            <tr aria-hidden>
              <td colSpan={columns} style={{ height: after, padding: 0 }} />
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  index: number;
  tenant: string;
  bot: Bot;
  worker: string;
  onMove?: (bot: Bot) => void;
}

const Row = memo(function Row({ index, tenant, bot, worker, onMove }: RowProps) {
  const { t } = useTranslation(['bots', 'workers']);
  const say = useReason();
  const { status } = bot;
  const Kind = bot.kind === 'assistant' ? IconMessageChatbot : IconCode;
  return (
    <tr aria-rowindex={index + 2} style={{ height: rowHeight }}>
      <td data-column="name">
        <div className={classes.bot}>
          <span className={classes.kind}>
            <Kind size={18} stroke={1.6} aria-hidden />
          </span>
          <span className={classes.words}>
            <Link
              to="/t/$tenant/bots/$botId"
              params={{ tenant, botId: bot.id }}
              className={classes.name}
              preload={false}
            >
              {bot.name}
            </Link>
            <span className={classes.about}>
              {t(`kinds.${bot.kind}`)}
              {bot.assistant?.telegram && (
                <IconBrandTelegram size={14} role="img" aria-label="Telegram" className={classes.channel} />
              )}
              {bot.assistant?.whatsapp && (
                <IconBrandWhatsapp size={14} role="img" aria-label="WhatsApp" className={classes.channel} />
              )}
              <span className={classes.inWorker}> · {worker}</span>
            </span>
          </span>
        </div>
      </td>
      <td data-column="state">
        <div className={classes.state}>
          <BotStateBadge state={status.state} />
          {status.state !== 'running' && <span className={classes.reason}>{say(status.reason)}</span>}
        </div>
      </td>
      <td data-column="worker">
        <Link
          to="/t/$tenant/workers/$workerId"
          params={{ tenant, workerId: bot.worker_id }}
          className={classes.worker}
          preload={false}
        >
          {worker}
        </Link>
      </td>
      <td data-column="since" className={classes.since}>
        <RelativeTime time={status.since} />
      </td>
      {onMove && (
        <td data-column="actions">
          <button
            type="button"
            className={classes.move}
            disabled={Boolean(bot.move_id)}
            aria-label={t('workers:moveBot', { name: bot.name })}
            title={t('workers:board.moveBot')}
            onClick={() => onMove(bot)}
          >
            <IconArrowsExchange size={17} stroke={1.7} aria-hidden />
          </button>
        </td>
      )}
    </tr>
  );
});
