// Draws every canvas[data-chart] from the JSON that its attribute names. Amounts arrive as strings and become numbers
// for drawing only: the table below each chart carries the exact figures.
(() => {
  "use strict";

  const drawn = new Map();
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const moneyFormat = (currency, small) => new Intl.NumberFormat("en", {
    style: "currency",
    currency,
    ...(small ? { maximumFractionDigits: 4 } : {}),
  });

  const dayLabel = (iso) => new Date(`${iso}T00:00:00Z`)
    .toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

  const options = (data, highest) => {
    const text = css("--muted-foreground");
    const money = moneyFormat(data.currency, highest < 1);
    const font = { family: getComputedStyle(document.body).fontFamily, size: 12 };
    return {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      plugins: {
        legend: { display: false },
        tooltip: {
          displayColors: false,
          backgroundColor: css("--foreground"),
          titleColor: css("--background"),
          bodyColor: css("--background"),
          titleFont: font,
          bodyFont: font,
          footerColor: css("--background"),
          footerFont: font,
          padding: 10,
          callbacks: {
            label: (item) => `${moneyFormat(data.currency, item.parsed.y < 1).format(item.parsed.y)}${item.datasetIndex ? " on your own keys, not billed" : ""}`,
            footer: (items) => `${data.requests[items[0].dataIndex].toLocaleString("en")} requests`,
          },
        },
      },
      scales: {
        x: { stacked: true, grid: { display: false }, border: { color: css("--chart-grid") }, ticks: { color: text, font, maxRotation: 0, autoSkipPadding: 24 } },
        y: { stacked: true, beginAtZero: true, border: { display: false }, grid: { color: css("--chart-grid") }, ticks: { color: text, font, maxTicksLimit: 5, callback: (value) => money.format(value) } },
      },
    };
  };

  const draw = (canvas) => {
    const source = document.getElementById(canvas.dataset.chart);
    if (!source || !window.Chart) return;
    const data = JSON.parse(source.textContent);
    const values = data.cost.map(Number);
    const own = data.own.map(Number);
    const bars = [{ data: values, backgroundColor: css("--chart-1"), borderRadius: 3, maxBarThickness: 28 }];
    if (own.some(Boolean)) bars.push({ data: own, backgroundColor: css("--chart-2"), borderRadius: 3, maxBarThickness: 28 });
    drawn.get(canvas)?.destroy();
    drawn.set(canvas, new window.Chart(canvas, {
      type: "bar",
      data: {
        labels: data.days.map(dayLabel),
        datasets: bars,
      },
      options: options(data, Math.max(...values.map((value, day) => value + own[day]), 0)),
    }));
  };

  const drawAll = () => {
    drawn.forEach((chart, canvas) => {
      if (canvas.isConnected) return;
      chart.destroy();
      drawn.delete(canvas);
    });
    document.querySelectorAll("canvas[data-chart]").forEach(draw);
  };

  // Text on a canvas is drawn once: wait for the font, or the labels keep the fallback.
  document.addEventListener("DOMContentLoaded", () => {
    document.fonts.load("12px 'Inter Variable'").then(drawAll, drawAll);
  });
  document.addEventListener("htmx:afterSwap", drawAll);
  document.addEventListener("htmx:historyRestore", drawAll);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
})();
