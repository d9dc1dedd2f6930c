import { SegmentedControl, TextInput, VisuallyHidden } from '@mantine/core';
import { IconLayoutGrid, IconList, IconSearch } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '@/i18n/format';
import { type StateGroup, stateGroups } from './filter';
import classes from './WorkersToolbar.module.css';

interface Props {
  query: string;
  onQuery: (query: string) => void;
  state: StateGroup | undefined;
  onState: (state: StateGroup | undefined) => void;
  counts: Record<StateGroup, number>;
  total: number;
  view: 'board' | 'list';
  onView: (view: 'board' | 'list') => void;
}

export function WorkersToolbar({ query, onQuery, state, onState, counts, total, view, onView }: Props) {
  const { t } = useTranslation('workers');
  const format = useFormat();
  return (
    <div className={classes.root}>
      <TextInput
        className={classes.search}
        aria-label={t('toolbar.search')}
        placeholder={t('toolbar.search')}
        leftSection={<IconSearch size={15} stroke={1.8} />}
        value={query}
        onChange={(e) => onQuery(e.currentTarget.value)}
      />
      <fieldset className={classes.states}>
        <VisuallyHidden component="legend">{t('toolbar.states')}</VisuallyHidden>
        {[undefined, ...stateGroups].map((group) => (
          <button
            key={group ?? 'all'}
            type="button"
            className={classes.state}
            data-group={group}
            aria-pressed={state === group}
            onClick={() => onState(group)}
          >
            {group ? t(`group.${group}`) : t('group.all')}
            <span className="numeric">{format.number(group ? counts[group] : total)}</span>
          </button>
        ))}
      </fieldset>
      <SegmentedControl
        className={classes.view}
        size="sm"
        aria-label={t('toolbar.view')}
        value={view}
        onChange={(value) => onView(value as 'board' | 'list')}
        data={[
          {
            value: 'board',
            label: <ViewLabel icon={<IconLayoutGrid size={15} aria-hidden />} text={t('toolbar.board')} />,
          },
          { value: 'list', label: <ViewLabel icon={<IconList size={15} aria-hidden />} text={t('toolbar.list')} /> },
        ]}
      />
    </div>
  );
}

function ViewLabel({ icon, text }: { icon: React.ReactNode; text: string }) {
  return (
    <span className={classes.viewLabel}>
      {icon}
      {text}
    </span>
  );
}
