import { Button, Group, Stack } from '@mantine/core';
import { IconCircleCheck, IconCircleX, IconPlugConnected } from '@tabler/icons-react';
import { type ReactNode, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import type { Bot, ChannelCheck } from '@/api/resources';
import { usePermissions } from '@/tenants/queries';
import { CopyField } from '@/ui/CopyField';
import { InlineError } from '@/ui/errors';
import classes from './ChannelsPanel.module.css';
import { type Channel, channelNames, reachable, webhookAddress } from './channels';
import { useCheckChannels, useRegisterTelegram } from './queries';

/** Of these, who looks after the platform wants to know exactly what went wrong. */
const technical: ReadonlySet<ChannelCheck['code']> = new Set(['unreachable', 'not_the_api']);

/** Asks the chat platform itself how the connection is, and lets Telegram know the address where it doesn't. */
export function ChannelChecks({ bot, channel, atOnce }: { bot: Bot; channel: Channel; atOnce?: boolean }) {
  const { t } = useTranslation('bots');
  const may = usePermissions();
  const check = useCheckChannels(bot.id);
  const register = useRegisterTelegram(bot.id);
  const { mutate: ask } = check;
  useEffect(() => {
    if (atOnce) ask();
  }, [atOnce, ask]);

  const latest = (register.submittedAt > check.submittedAt ? register : check).data;
  const checks = latest?.filter((c) => c.channel === channel);
  const error = register.submittedAt > check.submittedAt ? register.error : check.error;
  const webhook = checks?.find((c) => c.check === 'webhook');
  const registers = channel === 'telegram' && (webhook === undefined || !webhook.ok);
  if (!may.changeBots) return null;
  return (
    <Stack gap="sm">
      {checks && checks.length > 0 && (
        <ul className={classes.checks} aria-label={t('check.answers', { channel: channelNames[channel] })}>
          {checks.map((c) => (
            <Check key={c.check} ok={c.ok}>
              <CheckText check={c} />
              {technical.has(c.code) && c.detail && <small className={classes.detail}>{c.detail}</small>}
            </Check>
          ))}
        </ul>
      )}
      {error && <InlineError error={error} />}
      <Group gap="sm">
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlugConnected size={15} />}
          loading={check.isPending}
          onClick={() => ask()}
        >
          {t('check.ask')}
        </Button>
        {registers && (
          <Button size="xs" loading={register.isPending} onClick={() => register.mutate()}>
            {t('telegram.registerAction')}
          </Button>
        )}
      </Group>
    </Stack>
  );
}

function CheckText({ check: { check, channel, code, detail, account } }: { check: ChannelCheck }) {
  const { t } = useTranslation('bots');
  const words = { channel: channelNames[channel], detail: detail ?? '', account: account ?? '' };
  if (code !== 'ok') return t(`check.wrongs.${code}`, words);
  if (check === 'account' && account) return t('check.well.named', words);
  return t(`check.well.${check}`, words);
}

/** Where the chat platform has to send messages, to be copied there; with a warning if it can't reach it. */
export function WebhookField({ bot, channel, label }: { bot: Bot; channel: Channel; label: string }) {
  const { t } = useTranslation('bots');
  const address = webhookAddress(bot, channel);
  return (
    <>
      <CopyField label={label} labelled value={address} />
      {!reachable(address) && (
        <ul className={classes.checks}>
          <Check ok={false}>{t('check.notPublic')}</Check>
        </ul>
      )}
    </>
  );
}

/** One point of a list of what was checked. */
export function Check({ ok, children }: { ok: boolean; children: ReactNode }) {
  const { t } = useTranslation('bots');
  const Icon = ok ? IconCircleCheck : IconCircleX;
  return (
    <li data-ok={ok || undefined}>
      <Icon size={17} stroke={1.8} role="img" aria-label={ok ? t('check.ok') : t('check.wrong')} />
      <span>{children}</span>
    </li>
  );
}
