import type { ReactElement } from "react";

/** The shop's pictures: drawn, so that the page needs no other file and looks the same offline. */

function Kawung({ color }: { color: string }): ReactElement {
  return (
    <g fill={color}>
      {[0, 40].flatMap((y) =>
        [0, 40, 80, 120].map((x) => (
          <g key={`${x} ${y}`} transform={`translate(${x} ${y})`}>
            <ellipse cx="20" cy="8" rx="5.5" ry="8.5" />
            <ellipse cx="20" cy="32" rx="5.5" ry="8.5" />
            <ellipse cx="8" cy="20" rx="8.5" ry="5.5" />
            <ellipse cx="32" cy="20" rx="8.5" ry="5.5" />
            <circle cx="20" cy="20" r="2" />
          </g>
        )),
      )}
    </g>
  );
}

function Parang({ color }: { color: string }): ReactElement {
  return (
    <g fill="none" stroke={color} strokeWidth="4" strokeLinecap="round">
      {[-80, -56, -32, -8, 16, 40, 64, 88, 112, 136, 160].map((x) => (
        <path key={x} d={`M${x} 84 q10 -14 20 -20 t14 -22 t18 -22 t14 -22`} />
      ))}
    </g>
  );
}

function Mega({ colors }: { colors: readonly string[] }): ReactElement {
  const cloud = "M-46 14 c-10 -16 8 -30 22 -22 c4 -16 32 -18 36 -2 c16 -10 36 4 28 20 c-10 14 -72 16 -86 4z";
  return (
    <g>
      {[
        [42, 34],
        [118, 30],
        [80, 68],
        [4, 72],
        [156, 74],
      ].map(([x, y]) => (
        <g key={x} transform={`translate(${x} ${y})`}>
          {colors.map((color, i) => (
            <path key={color} d={cloud} fill={color} transform={`scale(${1 - i * 0.2})`} />
          ))}
        </g>
      ))}
    </g>
  );
}

function CoffeeBag({ bag, label, dark }: { bag: string; label: string; dark: string }): ReactElement {
  return (
    <svg viewBox="0 0 160 120" aria-hidden="true">
      <ellipse cx="80" cy="110" rx="46" ry="5" fill="#000" opacity=".1" />
      <path d="M50 22 h60 l5 82 q0 6 -6 6 h-58 q-6 0 -6 -6z" fill={bag} />
      <path d="M50 22 h60 l-3 -12 h-54z" fill={dark} />
      <path d="M53 16 h54" stroke="#fff" strokeOpacity=".35" strokeWidth="2" />
      <rect x="58" y="44" width="44" height="44" rx="22" fill={label} />
      <path d="M80 52 c-9 7 -9 22 0 28 c9 -6 9 -21 0 -28z" fill={dark} />
      <path d="M80 53 c-4 9 4 17 0 26" stroke={label} strokeWidth="2.4" fill="none" />
      <path d="M52 30 h56 M48 98 h64" stroke="#fff" strokeOpacity=".3" strokeWidth="3" strokeDasharray="3 4" />
    </svg>
  );
}

/** A piece of cloth with a pattern on it. */
function Cloth({ name, ground, children }: { name: string; ground: string; children: ReactElement }): ReactElement {
  return (
    <svg viewBox="0 0 160 120" aria-hidden="true">
      <defs>
        <clipPath id={`cloth-${name}`}>
          <path d="M22 20 q58 -12 116 0 v76 q-58 12 -116 0z" />
        </clipPath>
      </defs>
      <ellipse cx="80" cy="112" rx="56" ry="4" fill="#000" opacity=".1" />
      <g clipPath={`url(#cloth-${name})`}>
        <rect width="160" height="120" fill={ground} />
        <g transform="translate(0 18)">{children}</g>
        <path d="M22 20 v76 M138 20 v76" stroke="#000" strokeOpacity=".18" strokeWidth="10" />
      </g>
    </svg>
  );
}

function Cup(): ReactElement {
  return (
    <svg viewBox="0 0 160 120" aria-hidden="true">
      <ellipse cx="78" cy="106" rx="44" ry="5" fill="#000" opacity=".1" />
      <path d="M112 52 q26 -2 24 18 q-2 20 -28 18" fill="none" stroke="#2f5d62" strokeWidth="8" />
      <path d="M42 38 h72 l-6 58 q-1 8 -9 8 h-42 q-8 0 -9 -8z" fill="#f6f1e7" />
      <path d="M43.600 54 h68.800 l-1.600 14 h-65.600z" fill="#2f5d62" />
      <path d="M44 58 h68 M45 63 h66" stroke="#e9b872" strokeWidth="1.600" />
      <ellipse cx="78" cy="38" rx="36" ry="8" fill="#2f5d62" />
      <ellipse cx="78" cy="39" rx="31" ry="6" fill="#4a2c1a" />
      <path d="M66 22 q-5 -7 0 -13 M80 24 q-5 -8 0 -15 M94 22 q-5 -7 0 -13" stroke="#b9a58e" strokeWidth="3" fill="none" strokeLinecap="round" />
    </svg>
  );
}

function Sugar(): ReactElement {
  return (
    <svg viewBox="0 0 160 120" aria-hidden="true">
      <ellipse cx="80" cy="104" rx="54" ry="6" fill="#000" opacity=".1" />
      {[
        [54, 84],
        [104, 84],
        [80, 56],
      ].map(([x, y]) => (
        <g key={x} transform={`translate(${x} ${y})`}>
          <path d="M-26 0 v14 a26 9 0 0 0 52 0 v-14z" fill="#8a4b22" />
          <ellipse rx="26" ry="9" fill="#b06a35" />
          <path d="M-14 -2 a14 4 0 0 1 20 -1" stroke="#d79a63" strokeWidth="2" fill="none" />
        </g>
      ))}
      <path d="M114 46 q20 -22 34 -18 q-4 18 -30 22z" fill="#5a7d4f" />
    </svg>
  );
}

const ART: Record<string, () => ReactElement> = {
  "coffee-green": () => <CoffeeBag bag="#3f6b4f" label="#f3e6cf" dark="#28452f" />,
  "coffee-red": () => <CoffeeBag bag="#9c3f2c" label="#f6dfc4" dark="#5f2318" />,
  "coffee-amber": () => <CoffeeBag bag="#d08a35" label="#fdf1dd" dark="#7c4a14" />,
  sugar: Sugar,
  cup: Cup,
  kawung: () => (
    <Cloth name="kawung" ground="#4a2c1a">
      <Kawung color="#e9c48f" />
    </Cloth>
  ),
  mega: () => (
    <Cloth name="mega" ground="#a5322f">
      <Mega colors={["#16324f", "#2f6690", "#81c3d7", "#f3ece0"]} />
    </Cloth>
  ),
  parang: () => (
    <Cloth name="parang" ground="#f1e3c8">
      <Parang color="#6b3e1f" />
    </Cloth>
  ),
};

export function Art({ name }: { name: string }): ReactElement {
  const Drawing = ART[name] ?? Cup;
  return <Drawing />;
}
