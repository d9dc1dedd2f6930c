import { Anchor, Button, Group, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Bot } from '@/api/resources';
import { SecretSelect } from '@/secrets/SecretSelect';
import { usePermissions } from '@/tenants/queries';
import { CopyField } from '@/ui/CopyField';
import { InlineError } from '@/ui/errors';
import { useLeaveGuard } from '@/ui/LeaveGuard';
import { ChannelChecks, WebhookField } from './ChannelChecks';
import { channelSecret, randomWord } from './channels';
import { Step, Steps } from './Steps';
import { useConnect } from './useConnect';

/** Connects the assistant to WhatsApp through Meta's Cloud API, step by step. */
export function WhatsAppSetup({ bot, onClose }: { bot: Bot; onClose: () => void }) {
  const { t } = useTranslation(['bots', 'ui']);
  const may = usePermissions();
  const connect = useConnect(bot);
  const [word, setWord] = useState<string | null>(null);
  const before = bot.assistant?.whatsapp;
  const choose = (v: string) => (v ? null : t('channels.choose'));
  const missing = (v: string) => (v.trim() ? null : t('whatsapp.missing'));
  const form = useForm({
    initialValues: {
      phone_number_id: before?.phone_number_id ?? '',
      access: '',
      app: '',
      access_token_secret: before?.access_token_secret ?? '',
      app_secret_secret: before?.app_secret_secret ?? '',
      verify_token_secret: before?.verify_token_secret ?? '',
    },
    validate: {
      phone_number_id: (v) => (/^\d{5,40}$/.test(v.trim()) ? null : t('whatsapp.numberWrong')),
      ...(may.changeSecrets
        ? { access: missing, app: missing }
        : { access_token_secret: choose, app_secret_secret: choose, verify_token_secret: choose }),
    },
  });
  useLeaveGuard(form.isDirty() && word === null);

  const submit = form.onSubmit(async (v) => {
    const made = randomWord();
    const own = {
      access_token_secret: channelSecret(bot, 'WHATSAPP_TOKEN'),
      app_secret_secret: channelSecret(bot, 'WHATSAPP_APP_SECRET'),
      verify_token_secret: channelSecret(bot, 'WHATSAPP_VERIFY'),
    };
    const names = may.changeSecrets
      ? own
      : {
          access_token_secret: v.access_token_secret,
          app_secret_secret: v.app_secret_secret,
          verify_token_secret: v.verify_token_secret,
        };
    const values = may.changeSecrets
      ? {
          [own.access_token_secret]: v.access.trim(),
          [own.app_secret_secret]: v.app.trim(),
          [own.verify_token_secret]: made,
        }
      : {};
    const whatsapp = { ...before, ...names, phone_number_id: v.phone_number_id.trim() };
    if (await connect.run(values, { whatsapp })) setWord(may.changeSecrets ? made : '');
  });

  if (word !== null) {
    return (
      <Steps>
        <Step title={t('whatsapp.register')} text={t('whatsapp.registerText')}>
          <WebhookField bot={bot} channel="whatsapp" label={t('whatsapp.callback')} />
          {word && <CopyField label={t('whatsapp.verify')} labelled value={word} />}
        </Step>
        <Step title={t('whatsapp.subscribe')} text={t('whatsapp.subscribeText')} />
        <Step title={t('channels.verify')} text={t('whatsapp.checkText')}>
          <ChannelChecks bot={bot} channel="whatsapp" />
        </Step>
        <Step title={t('channels.try')} text={t('whatsapp.tryText')}>
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
          title={t('whatsapp.app')}
          text={
            <>
              {t('whatsapp.appText')}{' '}
              <Anchor
                href="https://developers.facebook.com/apps"
                target="_blank"
                rel="noreferrer"
                underline="always"
                size="sm"
              >
                developers.facebook.com
              </Anchor>
            </>
          }
        />
        <Step title={t('whatsapp.number')} text={t('whatsapp.numberText')}>
          <TextInput
            label={t('whatsapp.numberLabel')}
            placeholder="106540352242922"
            inputMode="numeric"
            autoComplete="off"
            required
            {...form.getInputProps('phone_number_id')}
          />
        </Step>
        <Step title={t('whatsapp.keys')} text={may.changeSecrets ? t('whatsapp.keysText') : t('channels.askAdmin')}>
          {may.changeSecrets ? (
            <>
              <PasswordInput
                label={t('whatsapp.access')}
                description={t('whatsapp.accessHelp')}
                autoComplete="off"
                required
                {...form.getInputProps('access')}
              />
              <PasswordInput
                label={t('whatsapp.secret')}
                description={t('whatsapp.secretHelp')}
                autoComplete="off"
                required
                {...form.getInputProps('app')}
              />
            </>
          ) : (
            <>
              <SecretSelect
                label={t('whatsapp.access')}
                worker={bot.worker_id}
                proposed={channelSecret(bot, 'WHATSAPP_TOKEN')}
                {...form.getInputProps('access_token_secret')}
              />
              <SecretSelect
                label={t('whatsapp.secret')}
                worker={bot.worker_id}
                proposed={channelSecret(bot, 'WHATSAPP_APP_SECRET')}
                {...form.getInputProps('app_secret_secret')}
              />
              <SecretSelect
                label={t('whatsapp.verify')}
                worker={bot.worker_id}
                proposed={channelSecret(bot, 'WHATSAPP_VERIFY')}
                {...form.getInputProps('verify_token_secret')}
              />
            </>
          )}
        </Step>
        <Step title={t('channels.save')} text={t('whatsapp.saveText')}>
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
