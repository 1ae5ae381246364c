import { count } from "../../../runtime/quantity.ts";

const WIDTH = 120;
const HEIGHT = 28;

/** A row of bars, one for each value, the oldest first. Drawn on the server: it needs no script. */
export const Sparkline = ({ values }: { readonly values: readonly number[] }) => {
  const most = Math.max(...values, 1);
  const step = WIDTH / Math.max(1, values.length);
  const label = `${count(values.reduce((sum, value) => sum + value, 0))} in the last hour, at most ${count(Math.max(...values, 0))} in a minute`;
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} role="img" aria-label={label}>
      <line x1="0" y1={HEIGHT - 0.5} x2={WIDTH} y2={HEIGHT - 0.5} />
      {values.map((value, at) => {
        const height = value === 0 ? 0 : Math.max(1.5, (value / most) * (HEIGHT - 2));
        return value === 0 ? null : (
          <rect
            x={(at * step).toFixed(1)}
            y={(HEIGHT - height).toFixed(1)}
            width={step - 0.5}
            height={height.toFixed(1)}
          />
        );
      })}
    </svg>
  );
};
