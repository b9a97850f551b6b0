interface IconProps {
  readonly paths: readonly string[];
  readonly size?: number;
}

/** Line icons on a grid of 24; always beside words, so never read aloud. */
function Icon({ paths, size = 20 }: IconProps) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {paths.map((d) => (
        <path key={d} d={d} />
      ))}
    </svg>
  );
}

export const CheckIcon = ({ size }: { readonly size?: number }) => <Icon size={size} paths={["m5 12.5 4.7 4.7L19.5 7.5"]} />;
export const CrossIcon = ({ size }: { readonly size?: number }) => <Icon size={size} paths={["M6.5 6.5l11 11", "M17.5 6.5l-11 11"]} />;
export const ClockIcon = ({ size }: { readonly size?: number }) => (
  <Icon size={size} paths={["M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18Z", "M12 7.5V12l3 2"]} />
);
export const BackIcon = ({ size }: { readonly size?: number }) => <Icon size={size} paths={["M19 12H5", "m11 6-6 6 6 6"]} />;
export const NextIcon = ({ size }: { readonly size?: number }) => <Icon size={size} paths={["m9 5.5 6.5 6.5L9 18.5"]} />;
export const OutIcon = ({ size }: { readonly size?: number }) => <Icon size={size} paths={["M13 5h6v6", "M19 5l-8.5 8.5", "M10 5H5v14h14v-5"]} />;
export const CopyIcon = ({ size }: { readonly size?: number }) => <Icon size={size} paths={["M9 9h11v11H9Z", "M15 9V4H4v11h5"]} />;
export const LockIcon = ({ size }: { readonly size?: number }) => (
  <Icon size={size} paths={["M5.5 10.5h13V20h-13Z", "M8.5 10.5V7.5a3.5 3.5 0 0 1 7 0v3"]} />
);
export const AlertIcon = ({ size }: { readonly size?: number }) => <Icon size={size} paths={["M12 3.5 21.5 20h-19Z", "M12 10v4.5", "M12 17.2v.1"]} />;
export const PhoneIcon = ({ size }: { readonly size?: number }) => <Icon size={size} paths={["M7 3h10v18H7Z", "M11 18h2"]} />;
export const SaveIcon = ({ size }: { readonly size?: number }) => <Icon size={size} paths={["M12 4v11", "m7 10.5 5 5 5-5", "M5 20h14"]} />;
export const TurnIcon = ({ size }: { readonly size?: number }) => (
  <Icon size={size} paths={["M9 14 4.5 9.5 9 5", "M5 9.5h9a5.5 5.5 0 0 1 0 11h-3"]} />
);
