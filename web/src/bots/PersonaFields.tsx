import {
  Anchor,
  Card,
  Collapse,
  NumberInput,
  Radio,
  SimpleGrid,
  Slider,
  Stack,
  TagsInput,
  Text,
  Textarea,
  TextInput,
  Title,
} from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { useDisclosure } from '@mantine/hooks';
import { type ReactNode, useId } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '@/i18n/format';
import { SecretSelect } from '@/secrets/SecretSelect';
import classes from './PersonaFields.module.css';
import { type PersonaValues, traitStep, traits } from './persona';

interface Props {
  form: UseFormReturnType<PersonaValues>;
  worker: string | undefined;
  /** The number of the first section, in a guide; none otherwise. */
  from?: number;
  disabled?: boolean;
}

/** Everything about who an assistant is and how it talks. */
export function PersonaFields({ form, worker, from, disabled }: Props) {
  const { t } = useTranslation('bots');
  const format = useFormat();
  const [advanced, { toggle }] = useDisclosure(false);
  const v = form.values;
  const number = (n: number) => (from === undefined ? undefined : from + n);
  return (
    <fieldset className={classes.fields} disabled={disabled}>
      <Section number={number(0)} title={t('persona.who')} text={t('persona.whoText')}>
        <Stack gap="md">
          <Textarea
            label={t('persona.prompt')}
            description={t('persona.promptHelp')}
            placeholder={t('persona.promptPlaceholder')}
            autosize
            minRows={5}
            maxRows={18}
            maxLength={32000}
            {...form.getInputProps('system_prompt')}
          />
          <Textarea
            label={t('persona.welcome')}
            description={t('persona.welcomeHelp')}
            placeholder={t('persona.welcomePlaceholder')}
            autosize
            minRows={1}
            maxRows={6}
            maxLength={4000}
            {...form.getInputProps('welcome')}
          />
          <TagsInput
            label={t('persona.quick')}
            description={t('persona.quickHelp')}
            placeholder={v.quick_replies.length === 0 ? t('persona.quickPlaceholder') : undefined}
            maxTags={10}
            clearable
            disabled={disabled}
            splitChars={[';']}
            {...form.getInputProps('quick_replies')}
          />
        </Stack>
      </Section>
      <Section number={number(1)} title={t('persona.style')} text={t('persona.styleText')}>
        <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="xl" verticalSpacing="lg">
          {traits.map((trait) => {
            const value = v.personality[trait];
            const step = t(`trait.${trait}.steps.${traitStep(value)}`);
            return (
              <div key={trait}>
                <div className={classes.trait}>
                  <span>{t(`trait.${trait}.name`)}</span>
                  <span className={classes.step}>{step}</span>
                </div>
                <Slider
                  thumbLabel={t(`trait.${trait}.name`)}
                  thumbProps={{ 'aria-valuetext': `${value}: ${step}` }}
                  min={0}
                  max={100}
                  step={5}
                  label={null}
                  disabled={disabled}
                  value={value}
                  onChange={(next) => form.setFieldValue(`personality.${trait}`, next)}
                />
                <div className={classes.ends} aria-hidden>
                  <span>{t(`trait.${trait}.low`)}</span>
                  <span>{t(`trait.${trait}.high`)}</span>
                </div>
              </div>
            );
          })}
        </SimpleGrid>
      </Section>
      <Section number={number(2)} title={t('persona.handoff')} text={t('persona.handoffText')}>
        <Stack gap="md">
          <TagsInput
            label={t('persona.triggers')}
            description={t('persona.triggersHelp')}
            placeholder={v.handoff.triggers.length === 0 ? t('persona.triggersPlaceholder') : undefined}
            maxTags={50}
            clearable
            disabled={disabled}
            splitChars={[';']}
            {...form.getInputProps('handoff.triggers')}
          />
          <Textarea
            label={t('persona.handoffMessage')}
            placeholder={t('persona.handoffPlaceholder')}
            autosize
            minRows={1}
            maxRows={6}
            maxLength={4000}
            {...form.getInputProps('handoff.message')}
          />
        </Stack>
      </Section>
      <Section number={number(3)} title={t('persona.model')} text={t('persona.modelText')}>
        <Stack gap="md">
          <Radio.Group aria-label={t('persona.model')} {...form.getInputProps('source')}>
            <Stack gap="sm">
              <Radio value="echo" label={t('persona.echo')} description={t('persona.echoHelp')} disabled={disabled} />
              <Radio
                value="endpoint"
                label={t('persona.endpoint')}
                description={t('persona.endpointHelp')}
                disabled={disabled}
              />
            </Stack>
          </Radio.Group>
          {v.source === 'endpoint' && (
            <>
              <TextInput
                label={t('persona.modelName')}
                description={t('persona.modelNameHelp')}
                placeholder="gpt-4o-mini"
                autoComplete="off"
                spellCheck={false}
                required
                {...form.getInputProps('model')}
              />
              <SecretSelect
                label={t('persona.key')}
                description={t('persona.keyHelp')}
                placeholder="OPENAI_API_KEY"
                proposed="OPENAI_API_KEY"
                worker={worker}
                clearable
                disabled={disabled}
                {...form.getInputProps('api_key_secret')}
              />
              <SecretSelect
                label={t('persona.url')}
                description={t('persona.urlHelp')}
                placeholder="OPENAI_BASE_URL"
                proposed="OPENAI_BASE_URL"
                worker={worker}
                clearable
                disabled={disabled}
                {...form.getInputProps('base_url_secret')}
              />
              <div>
                <Anchor component="button" type="button" size="sm" aria-expanded={advanced} onClick={toggle}>
                  {advanced ? t('persona.less') : t('persona.more')}
                </Anchor>
                <Collapse expanded={advanced}>
                  <SimpleGrid cols={{ base: 1, sm: 3 }} mt="sm">
                    <NumberInput
                      label={t('persona.temperature')}
                      description={t('persona.temperatureHelp')}
                      min={0}
                      max={2}
                      step={0.1}
                      decimalScale={2}
                      decimalSeparator={format.number(0.5).charAt(1)}
                      {...form.getInputProps('temperature')}
                      onChange={(n) => form.setFieldValue('temperature', Number(n) || 0)}
                    />
                    <NumberInput
                      label={t('persona.tokens')}
                      description={t('persona.tokensHelp')}
                      min={1}
                      max={128000}
                      step={128}
                      {...form.getInputProps('max_tokens')}
                      onChange={(n) => form.setFieldValue('max_tokens', Number(n) || 0)}
                    />
                    <NumberInput
                      label={t('persona.memory')}
                      description={t('persona.memoryHelp')}
                      min={0}
                      max={200}
                      {...form.getInputProps('memory_messages')}
                      onChange={(n) => form.setFieldValue('memory_messages', Number(n) || 0)}
                    />
                  </SimpleGrid>
                </Collapse>
              </div>
            </>
          )}
        </Stack>
      </Section>
    </fieldset>
  );
}

interface SectionProps {
  number?: number;
  title: string;
  text?: ReactNode;
  children: ReactNode;
}

/** A part of a form, numbered when it is a step of a guide. */
export function Section({ number, title, text, children }: SectionProps) {
  const id = useId();
  return (
    <Card component="section" aria-labelledby={id} className={classes.section}>
      <Title order={2} id={id} className={classes.sectionTitle}>
        {number !== undefined && (
          <span className={classes.number} aria-hidden>
            {number}
          </span>
        )}
        {title}
      </Title>
      {text && (
        <Text size="sm" c="dimmed" mb="md">
          {text}
        </Text>
      )}
      {children}
    </Card>
  );
}
