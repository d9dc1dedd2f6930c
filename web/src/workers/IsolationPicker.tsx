import { Radio, Text } from '@mantine/core';
import { IconBox, IconLock, IconServerCog, IconShieldHalf, IconShieldOff } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Isolation } from '@/api/resources';
import { translateReason } from '@/status/reason';
import classes from './IsolationPicker.module.css';
import type { Choice } from './isolation';

const icons = { none: IconShieldOff, container: IconBox, sandbox: IconShieldHalf, vm: IconServerCog } as const;

interface Props {
  value: Isolation;
  onChange: (level: Isolation) => void;
  choices: Choice[];
}

/** Chooses how strongly a Worker is kept apart: what each level protects from, and why some can't be chosen. */
export function IsolationPicker({ value, onChange, choices }: Props) {
  const { t } = useTranslation('workers');
  const { t: status } = useTranslation('status');
  return (
    <Radio.Group value={value} onChange={(v) => onChange(v as Isolation)} aria-label={t('isolation.label')}>
      <div className={classes.choices}>
        {choices.map(({ level, gives, refused }) => {
          const Icon = icons[level];
          return (
            <Radio.Card key={level} value={level} className={classes.choice} disabled={refused !== undefined}>
              <Radio.Indicator mt={2} />
              <div className={classes.words}>
                <div className={classes.name}>
                  <Icon size={16} stroke={1.7} aria-hidden />
                  {t(`isolation.${level}.name`)}
                </div>
                <Text size="sm" c="dimmed">
                  {t(`isolation.${level}.protects`)}
                </Text>
                {gives && !refused && level !== 'none' && (
                  <Text size="xs" c="dimmed" mt={4}>
                    {t('isolation.by', { gives })}
                  </Text>
                )}
                {refused && (
                  <div className={classes.refused}>
                    <IconLock size={14} stroke={1.8} aria-hidden />
                    {refused.by === 'plan'
                      ? t('isolation.notInPlan')
                      : t('isolation.notHere', {
                          reason: refused.reason ? translateReason(status, refused.reason) : t('isolation.noReason'),
                        })}
                  </div>
                )}
              </div>
            </Radio.Card>
          );
        })}
      </div>
    </Radio.Group>
  );
}
