import { Button, Card, Group, Stack, Text, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconBrandTelegram, IconBrandWhatsapp, IconWorldWww } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isApiError } from '@/api/problem';
import type { Assistant, Bot } from '@/api/resources';
import { secretsFor } from '@/secrets/names';
import { useSecrets } from '@/secrets/queries';
import { usePermissions, useTenantSlug } from '@/tenants/queries';
import { CopyField } from '@/ui/CopyField';
import { Dialog } from '@/ui/Dialog';
import { InlineError } from '@/ui/errors';
import { ButtonLink } from '@/ui/links';
import type { PanelProps } from './BotPage';
import { ChannelChecks, Check } from './ChannelChecks';
import classes from './ChannelsPanel.module.css';
import { type Channel, channelNames, reachable, webhookAddress } from './channels';
import { useUpdateBot } from './queries';
import { TelegramSetup } from './TelegramSetup';
import { WhatsAppSetup } from './WhatsAppSetup';

const icons = { telegram: IconBrandTelegram, whatsapp: IconBrandWhatsapp } as const;

/** Where people talk to the assistant: its page, Telegram, WhatsApp. */
export default function ChannelsPanel({ bot }: PanelProps) {
  const { t } = useTranslation('bots');
  const tenant = useTenantSlug();
  return (
    <div className={classes.root}>
      <Card component="section" aria-labelledby="page">
        <Group gap="md" wrap="nowrap" align="flex-start">
          <span className={classes.icon}>
            <IconWorldWww size={22} stroke={1.6} aria-hidden />
          </span>
          <div className={classes.words}>
            <Title order={2} id="page">
              {t('channels.page')}
            </Title>
            <Text size="sm" c="dimmed" mb="sm">
              {t('channels.pageText')} {t(`access.${bot.access}.text`)}
            </Text>
            <CopyField label={t('address.label')} value={bot.url ?? ''} />
            {bot.access !== 'public' && (
              <ButtonLink
                mt="sm"
                size="xs"
                variant="default"
                to="/t/$tenant/bots/$botId"
                params={{ tenant, botId: bot.id }}
                search={{ tab: 'settings' }}
              >
                {t('channels.changeAccess')}
              </ButtonLink>
            )}
          </div>
        </Group>
      </Card>
      <ChannelCard bot={bot} channel="telegram" />
      <ChannelCard bot={bot} channel="whatsapp" />
    </div>
  );
}

function ChannelCard({ bot, channel }: { bot: Bot; channel: Channel }) {
  const { t } = useTranslation('bots');
  const may = usePermissions();
  const [open, setOpen] = useState(false);
  const [leaving, setLeaving] = useState(false);
  const Icon = icons[channel];
  const connected = bot.assistant?.[channel] !== undefined;
  const Setup = channel === 'telegram' ? TelegramSetup : WhatsAppSetup;
  return (
    <Card component="section" aria-labelledby={channel}>
      <Group gap="md" wrap="nowrap" align="flex-start">
        <span className={classes.icon} data-channel={channel}>
          <Icon size={22} stroke={1.6} aria-hidden />
        </span>
        <div className={classes.words}>
          <Group justify="space-between" gap="sm" align="flex-start">
            <div className={classes.words}>
              <Title order={2} id={channel}>
                {channelNames[channel]}
              </Title>
              <Text size="sm" c="dimmed">
                {connected ? t('channels.connected') : t(`channels.${channel}Text`)}
              </Text>
            </div>
            {may.changeBots && !open && (
              <Group gap="xs">
                {connected && (
                  <Button size="xs" variant="subtle" color="red" onClick={() => setLeaving(true)}>
                    {t('channels.disconnect')}
                  </Button>
                )}
                <Button size="xs" variant={connected ? 'default' : 'filled'} onClick={() => setOpen(true)}>
                  {connected ? t('channels.setupAgain') : t('channels.connect')}
                </Button>
              </Group>
            )}
          </Group>
          {open ? (
            <Setup bot={bot} onClose={() => setOpen(false)} />
          ) : (
            connected && <Connection bot={bot} channel={channel} />
          )}
        </div>
      </Group>
      {leaving && <Disconnect bot={bot} channel={channel} onClose={() => setLeaving(false)} />}
    </Card>
  );
}

const secretsOfChannel = (assistant: Assistant | undefined, channel: Channel): string[] =>
  channel === 'telegram'
    ? [assistant?.telegram?.token_secret ?? '', assistant?.telegram?.webhook_secret_secret ?? '']
    : [
        assistant?.whatsapp?.access_token_secret ?? '',
        assistant?.whatsapp?.app_secret_secret ?? '',
        assistant?.whatsapp?.verify_token_secret ?? '',
      ];

/** What a message needs on its way to the bot, each point checked. */
function Connection({ bot, channel }: { bot: Bot; channel: Channel }) {
  const { t } = useTranslation('bots');
  const { data: secrets } = useSecrets();
  const address = webhookAddress(bot, channel);
  const have = secretsFor(secrets ?? [], bot.worker_id);
  const missing = secrets ? secretsOfChannel(bot.assistant, channel).filter((name) => !have.includes(name)) : [];
  return (
    <Stack gap="sm" mt="md">
      <CopyField label={t('channels.webhook')} labelled value={address} />
      <ul className={classes.checks}>
        <Check ok={bot.status.state === 'running'}>
          {bot.status.state === 'running' ? t('check.running') : t('check.notRunning')}
        </Check>
        <Check ok={missing.length === 0}>
          {missing.length === 0 ? t('check.secrets') : t('check.secretsMissing', { names: missing.join(', ') })}
        </Check>
        <Check ok={reachable(address)}>{reachable(address) ? t('check.public') : t('check.notPublic')}</Check>
      </ul>
      <ChannelChecks bot={bot} channel={channel} />
    </Stack>
  );
}

function Disconnect({ bot, channel, onClose }: { bot: Bot; channel: Channel; onClose: () => void }) {
  const { t } = useTranslation(['bots', 'ui']);
  const update = useUpdateBot(bot.id);
  return (
    <Dialog onClose={onClose} title={t('channels.disconnectTitle', { channel: channelNames[channel] })}>
      <Stack gap="md">
        <Text size="sm">{t('channels.disconnectText', { channel: channelNames[channel] })}</Text>
        {update.error && <InlineError error={update.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('ui:cancel')}
          </Button>
          <Button
            color="red"
            loading={update.isPending}
            onClick={() =>
              update.mutate(
                { version: bot.version, change: { assistant: { ...bot.assistant, [channel]: undefined } } },
                {
                  onSuccess: () => {
                    notifications.show({ message: t('channels.disconnected', { channel: channelNames[channel] }) });
                    onClose();
                  },
                  // The dialog shows the bot as it is now; another try is over that.
                  onError: (error) => isApiError(error, 'version_mismatch') && void update.reread(),
                },
              )
            }
          >
            {t('channels.disconnect')}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
