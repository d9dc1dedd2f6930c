import { IconArrowsExchange } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { Bot } from '@/api/resources';
import { useMoving } from '@/moves/MovesProvider';
import { useReason } from '@/status/reason';
import { BotStateBadge } from '@/status/StateBadge';
import { usePermissions, useTenantSlug } from '@/tenants/queries';
import { RelativeTime } from '@/ui/RelativeTime';
import classes from './BotRows.module.css';

/** The bots of a Worker as rows, each with its state and the way to another Worker. */
export function BotRows({ bots }: { bots: Bot[] }) {
  const { t } = useTranslation(['workers', 'status']);
  const say = useReason();
  const tenant = useTenantSlug();
  const may = usePermissions();
  const { choose } = useMoving();
  return (
    <ul className={classes.list}>
      {bots.map((bot) => (
        <li key={bot.id} className={classes.row}>
          <div className={classes.words}>
            <Link to="/t/$tenant/bots/$botId" params={{ tenant, botId: bot.id }} className={classes.name}>
              {bot.name}
            </Link>
            <span className={classes.about}>
              {t(`status:kind.${bot.kind}`)} · {say(bot.status.reason)} · <RelativeTime time={bot.status.since} />
            </span>
          </div>
          <BotStateBadge state={bot.status.state} />
          {may.changeBots && (
            <button
              type="button"
              className={classes.move}
              disabled={Boolean(bot.move_id)}
              aria-label={t('moveBot', { name: bot.name })}
              title={t('board.moveBot')}
              onClick={() => choose(bot)}
            >
              <IconArrowsExchange size={17} stroke={1.7} aria-hidden />
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}
