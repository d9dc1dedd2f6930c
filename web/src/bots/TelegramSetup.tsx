import { Anchor, Button, Group, PasswordInput, Stack } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Bot } from '@/api/resources';
import { SecretSelect } from '@/secrets/SecretSelect';
import { usePermissions } from '@/tenants/queries';
import { InlineError } from '@/ui/errors';
import { useLeaveGuard } from '@/ui/LeaveGuard';
import { ChannelChecks, WebhookField } from './ChannelChecks';
import { channelSecret, isTelegramToken, randomWord } from './channels';
import { Step, Steps } from './Steps';
import { useConnect } from './useConnect';

/** Connects the assistant to Telegram, step by step. */
export function TelegramSetup({ bot, onClose }: { bot: Bot; onClose: () => void }) {
  const { t } = useTranslation(['bots', 'ui']);
  const may = usePermissions();
  const connect = useConnect(bot);
  const [done, setDone] = useState(false);
  const before = bot.assistant?.telegram;
  const form = useForm({
    initialValues: {
      token: '',
      token_secret: before?.token_secret ?? '',
      webhook_secret_secret: before?.webhook_secret_secret ?? '',
    },
    validate: may.changeSecrets
      ? { token: (v) => (isTelegramToken(v) ? null : t('telegram.tokenWrong')) }
      : {
          token_secret: (v) => (v ? null : t('channels.choose')),
          webhook_secret_secret: (v) => (v ? null : t('channels.choose')),
        },
  });
  useLeaveGuard(form.isDirty() && !done);

  const submit = form.onSubmit(async (v) => {
    const token = v.token.trim();
    const secret = randomWord();
    const telegram = may.changeSecrets
      ? {
          ...before,
          token_secret: channelSecret(bot, 'TELEGRAM_TOKEN'),
          webhook_secret_secret: channelSecret(bot, 'TELEGRAM_WEBHOOK'),
        }
      : { ...before, token_secret: v.token_secret, webhook_secret_secret: v.webhook_secret_secret };
    const values = may.changeSecrets
      ? { [telegram.token_secret]: token, [telegram.webhook_secret_secret]: secret }
      : {};
    if (await connect.run(values, { telegram })) setDone(true);
  });

  if (done) {
    return (
      <Steps>
        <Step title={t('telegram.register')} text={t('telegram.registerText')}>
          <WebhookField bot={bot} channel="telegram" label={t('channels.webhook')} />
          <ChannelChecks bot={bot} channel="telegram" />
        </Step>
        <Step title={t('channels.try')} text={t('telegram.tryText')}>
          <Group>
            <Button variant="default" onClick={onClose}>
              {t('channels.done')}
            </Button>
          </Group>
        </Step>
      </Steps>
    );
  }

  return (
    <form noValidate onSubmit={submit}>
      <Steps>
        <Step
          title={t('telegram.make')}
          text={
            <>
              {t('telegram.makeText')}{' '}
              <Anchor href="https://t.me/BotFather" target="_blank" rel="noreferrer" underline="always" size="sm">
                @BotFather
              </Anchor>
            </>
          }
        />
        <Step title={t('telegram.token')} text={may.changeSecrets ? t('telegram.tokenText') : t('channels.askAdmin')}>
          {may.changeSecrets ? (
            <PasswordInput
              label={t('telegram.tokenLabel')}
              placeholder="123456789:AA…"
              autoComplete="off"
              spellCheck={false}
              required
              {...form.getInputProps('token')}
            />
          ) : (
            <>
              <SecretSelect
                label={t('telegram.tokenLabel')}
                worker={bot.worker_id}
                proposed={channelSecret(bot, 'TELEGRAM_TOKEN')}
                {...form.getInputProps('token_secret')}
              />
              <SecretSelect
                label={t('telegram.webhookSecret')}
                worker={bot.worker_id}
                proposed={channelSecret(bot, 'TELEGRAM_WEBHOOK')}
                {...form.getInputProps('webhook_secret_secret')}
              />
            </>
          )}
        </Step>
        <Step title={t('channels.save')} text={t('telegram.saveText')}>
          <Stack gap="sm">
            {connect.error != null && <InlineError error={connect.error} />}
            <Group>
              <Button type="submit" loading={connect.busy}>
                {t('channels.connect')}
              </Button>
              <Button variant="default" onClick={onClose}>
                {t('ui:cancel')}
              </Button>
            </Group>
          </Stack>
        </Step>
      </Steps>
    </form>
  );
}
