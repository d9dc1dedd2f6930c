/** The product's mark and name. */
export function Logo({ size = 28, inverted = false }: { size?: number; inverted?: boolean }) {
  return (
    <span style={{ display: 'inline-flex', alignItems: 'center', gap: 10 }}>
      <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
        <rect width="32" height="32" rx="8" fill={inverted ? 'rgb(255 255 255 / 14%)' : '#2b50c8'} />
        <rect x="8" y="8" width="8" height="8" rx="1.5" fill="#fff" opacity="0.55" />
        <rect x="8" y="18" width="16" height="6" rx="1.5" fill="#fff" />
        <circle cx="21" cy="12" r="4" fill="#fff" />
      </svg>
      <span
        style={{
          fontWeight: 700,
          fontSize: size * 0.58,
          letterSpacing: '-0.02em',
          color: inverted ? '#fff' : undefined,
        }}
      >
        BaaS
      </span>
    </span>
  );
}
