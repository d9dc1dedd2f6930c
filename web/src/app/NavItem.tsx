import type { Icon } from '@tabler/icons-react';
import type { LinkProps } from '@tanstack/react-router';
import { Link } from '@tanstack/react-router';
import classes from './NavItem.module.css';

interface Props {
  icon: Icon;
  label: string;
  link: LinkProps;
  /** Active only on exactly this address, not below it. */
  exact?: boolean;
  count?: number;
  /** What the count counts, for screen readers. */
  countLabel?: string;
}

export function NavItem({ icon: IconOf, label, link, exact, count, countLabel }: Props) {
  return (
    <Link {...link} className={classes.item} activeOptions={{ exact: exact ?? false, includeSearch: false }}>
      <IconOf size={18} stroke={1.7} aria-hidden />
      <span className={classes.label}>{label}</span>
      {count !== undefined && count > 0 && (
        <>
          <span className={classes.count} aria-hidden>
            {count}
          </span>
          {countLabel && <span className={classes.hidden}>{countLabel}</span>}
        </>
      )}
    </Link>
  );
}

export function NavGroup({ label, children }: { label?: string; children: React.ReactNode }) {
  return (
    <div className={classes.group}>
      {label && <div className={classes.groupLabel}>{label}</div>}
      {children}
    </div>
  );
}
