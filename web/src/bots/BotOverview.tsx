import { Card, Title } from '@mantine/core';
import { IconArrowRight, IconCircleCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { EventList, EventListSkeleton } from '@/events/EventList';
import { latestEventsQuery } from '@/events/queries';
import { useFormat } from '@/i18n/format';
import { usePermissions, useTenantSlug } from '@/tenants/queries';
import { ErrorPanel, failureOf } from '@/ui/errors';
import { AnchorLink, ButtonLink } from '@/ui/links';
import { AddressCard } from './AddressCard';
import classes from './BotOverview.module.css';
import type { PanelProps } from './BotPage';
import { TestChat } from './TestChat';

const route = getRouteApi('/signed-in/t/$tenant/bots/$botId');

/** A bot at a glance: a chat to try it, its address, how it has run, what happened last. */
export default function BotOverview({ bot }: PanelProps) {
  const { t } = useTranslation('bots');
  const format = useFormat();
  const tenant = useTenantSlug();
  const may = usePermissions();
  const { created } = route.useSearch();
  const events = useQuery(latestEventsQuery(tenant, { bot: bot.id }, 8));
  const { status } = bot;
  const params = { tenant, botId: bot.id };
  return (
    <>
      {created && (
        <Card className={classes.next} mb="lg" role="status">
          <IconCircleCheck size={24} stroke={1.7} aria-hidden />
          <div className={classes.nextWords}>
            <strong>{t('created.title', { name: bot.name })}</strong>
            <span>{bot.kind === 'assistant' ? t('created.assistant') : t('created.program')}</span>
          </div>
          {bot.kind === 'assistant' ? (
            <ButtonLink to="/t/$tenant/bots/$botId" params={params} search={{ tab: 'channels' }}>
              {t('created.channels')}
            </ButtonLink>
          ) : (
            <ButtonLink to="/t/$tenant/bots/$botId" params={params} search={{ tab: 'logs' }} variant="default">
              {t('created.logs')}
            </ButtonLink>
          )}
        </Card>
      )}
      <div className={classes.layout}>
        <div className={classes.main}>
          <AddressCard bot={bot} />
          {may.changeBots && (bot.kind === 'assistant' || Boolean(bot.program?.port)) && (
            <Card component="section" aria-labelledby="try">
              <Title order={2} id="try" mb={4}>
                {t('chat.title')}
              </Title>
              <TestChat
                bot={bot}
                name={bot.name}
                welcome={bot.assistant?.welcome}
                quickReplies={bot.assistant?.quick_replies}
              />
            </Card>
          )}
        </div>
        <div className={classes.side}>
          <Card component="section" aria-labelledby="facts">
            <Title order={2} id="facts" mb="sm">
              {t('facts.title')}
            </Title>
            <dl className={classes.facts}>
              <dt>{t('facts.kind')}</dt>
              <dd>{t(`kinds.${bot.kind}`)}</dd>
              {bot.assistant && (
                <>
                  <dt>{t('facts.model')}</dt>
                  <dd>{bot.assistant.model === 'builtin/echo' ? t('persona.echo') : bot.assistant.model}</dd>
                  <dt>{t('facts.channels')}</dt>
                  <dd>
                    {format.list([
                      t('facts.page'),
                      ...(bot.assistant.telegram ? ['Telegram'] : []),
                      ...(bot.assistant.whatsapp ? ['WhatsApp'] : []),
                    ])}
                  </dd>
                </>
              )}
              {bot.program && (
                <>
                  <dt>{t('facts.files')}</dt>
                  <dd>{bot.files ? format.bytes(bot.files.size) : t('facts.noFiles')}</dd>
                </>
              )}
              <dt>{t('facts.restarts')}</dt>
              <dd className="numeric">{format.number(status.restarts)}</dd>
              {status.exit_code !== undefined && (
                <>
                  <dt>{t('facts.exit')}</dt>
                  <dd className="numeric">{exitText(t, status.exit_code)}</dd>
                </>
              )}
              <dt>{t('facts.created')}</dt>
              <dd>{format.date(bot.created_at)}</dd>
            </dl>
          </Card>
          <Card component="section" aria-labelledby="latest">
            <div className={classes.headIn}>
              <Title order={2} id="latest">
                {t('latest')}
              </Title>
              <AnchorLink to="/t/$tenant/activity" params={{ tenant }} search={{ bot: bot.id }} size="sm">
                {t('all')} <IconArrowRight size={14} style={{ verticalAlign: -2 }} aria-hidden />
              </AnchorLink>
            </div>
            {failureOf(events) ? (
              <ErrorPanel error={events.error} retry={() => void events.refetch()} />
            ) : events.data ? (
              <EventList events={events.data} hideWorker />
            ) : (
              <EventListSkeleton lines={5} />
            )}
          </Card>
        </div>
      </div>
    </>
  );
}

type T = ReturnType<typeof useTranslation<'bots'>>['t'];

function exitText(t: T, code: number): string {
  if (code === 137) return t('facts.killed', { code });
  if (code > 128) return t('facts.signal', { code, signal: code - 128 });
  return String(code);
}
