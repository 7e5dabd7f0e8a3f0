// SPDX-License-Identifier: Apache-2.0
// The report's CSS. The colours --k0 ... --k6 stay apart for the common forms of colour blindness, on both
// grounds.
#include "train/report_assets.h"

namespace pleat::train {

const std::string_view kReportStyle = R"css(
:root{color-scheme:light dark;--bg:#fcfbf9;--text:#1c1d21;--muted:#6a6d76;--line:#e4e1da;--grid:#ebe8e2;--panel:#f5f3ee;
--k0:#1f6fb5;--k1:#e08b16;--k2:#0f9a78;--k3:#c9532f;--k4:#69b4e6;--k5:#b265a4;--k6:#8c7c12;--k7:#a3a6ad;--onbar:#fff}
@media(prefers-color-scheme:dark){:root{--bg:#141518;--text:#e9e7e2;--muted:#989ba4;--line:#2e3036;--grid:#26282d;
--panel:#1c1e22;--k0:#5ca6ea;--k1:#f0a945;--k2:#3fc09b;--k3:#e57b5c;--k4:#a3d3f5;--k5:#d290c7;--k6:#c8b545;--k7:#6f737c;--onbar:#101114}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.55 Inter,ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums;-webkit-font-smoothing:antialiased}
main{max-width:1120px;margin:0 auto;padding:56px 32px 72px}
.brand{margin:0 0 6px;font-size:12px;letter-spacing:.08em;text-transform:uppercase;color:var(--muted)}
h1{margin:0;font-size:34px;line-height:1.2;font-weight:650;letter-spacing:-.022em;overflow-wrap:anywhere}
.subtitle{margin:8px 0 0;color:var(--muted);max-width:78ch}
h2{margin:0 0 4px;font-size:20px;font-weight:620;letter-spacing:-.012em}
section{margin-top:60px}
.note{margin:0 0 14px;color:var(--muted);max-width:78ch}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:1px;margin:36px 0 0;background:var(--line);border:1px solid var(--line);border-radius:10px;overflow:hidden}
.tile{background:var(--bg);padding:16px 18px 14px}
.tile dt{font-size:12.5px;color:var(--muted)}
.tile dd{margin:2px 0 0;font-size:25px;line-height:1.25;font-weight:600;letter-spacing:-.02em;white-space:nowrap}
.tile small{font-size:12.5px;font-weight:400;letter-spacing:0;color:var(--muted)}
.tile p{margin:3px 0 0;font-size:12.5px;line-height:1.4;color:var(--muted)}
figure{margin:0}
figcaption{display:flex;flex-wrap:wrap;align-items:center;gap:2px 8px;margin-bottom:10px;font-size:13px}
figcaption b{font-weight:600}
figcaption span{color:var(--muted)}
.key{margin-left:auto;display:flex;align-items:center;gap:6px}
.swatch{display:inline-block;width:10px;height:10px;margin:0 7px 0 10px;border-radius:3px;background:var(--k0)}
.key .swatch{height:3px;width:16px;margin:0 0 0 12px}
.key .swatch.faint{opacity:.35}
.key .swatch.dot{width:9px;height:9px;border-radius:50%;background:var(--k3)}
td .swatch,th .swatch{margin-left:0}
.pair{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:30px}
.pair .large{grid-column:span 2}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:34px 30px;margin-top:44px}
.plot{position:relative;height:150px;margin:0 6px 26px 46px}
.large,.tall{margin-top:16px}
.large .plot,.tall .plot{height:340px}
.area{position:absolute;inset:0;cursor:crosshair;outline-offset:4px;touch-action:pan-y}
.area svg{position:absolute;inset:0;width:100%;height:100%;overflow:visible}
.area path{fill:none;vector-effect:non-scaling-stroke;stroke-linecap:round;stroke-linejoin:round}
.grid{stroke:var(--grid);stroke-width:1}
.steps{stroke:var(--k0);stroke-width:1;opacity:.32}
.line{stroke:var(--k0);stroke-width:1.75}
.large .line{stroke-width:2.25}
.ylabels span,.xlabels span{position:absolute;font-size:11.5px;line-height:1;color:var(--muted);white-space:nowrap}
.ylabels span{right:calc(100% + 9px);transform:translateY(50%)}
.xlabels span{top:calc(100% + 9px);transform:translateX(-50%)}
.mark{position:absolute;width:11px;height:11px;margin:0 0 -5.5px -5.5px;border-radius:50%;background:var(--k3);border:2px solid var(--bg)}
.mark b{position:absolute;left:14px;top:-6px;font-weight:600;font-style:normal;font-size:12.5px;line-height:20px;color:var(--k3);white-space:nowrap;text-shadow:0 0 3px var(--bg),0 0 3px var(--bg),0 0 5px var(--bg)}
.mark.leftward b{left:auto;right:14px}
.cross{position:absolute;top:0;bottom:0;width:1px;background:var(--muted);opacity:.5;pointer-events:none}
.knob{position:absolute;width:9px;height:9px;margin:0 0 -4.5px -4.5px;border-radius:50%;background:var(--k0);border:2px solid var(--bg);pointer-events:none}
.tip{position:fixed;z-index:9;left:0;top:0;max-width:420px;padding:7px 11px;border-radius:7px;background:var(--text);color:var(--bg);font-size:12.5px;line-height:1.5;white-space:pre-line;overflow-wrap:anywhere;pointer-events:none;box-shadow:0 4px 18px rgba(0,0,0,.18)}
.tip[hidden]{display:none}
.bars{display:grid;gap:9px;margin:16px 0 30px}
.bar{display:grid;grid-template-columns:minmax(110px,220px) 1fr 72px minmax(0,150px);align-items:center;gap:14px;font-size:14px}
.bar>i{height:16px;background:var(--panel);border-radius:4px;overflow:hidden}
.bar>i>i{display:block;height:100%;border-radius:4px;background:var(--k7)}
.bar.ours>i>i{background:var(--k0)}
.bar b{font-weight:500;text-align:right}
.bar.ours span,.bar.ours b{font-weight:650}
.bar small{font-size:12.5px;color:var(--muted);white-space:nowrap}
.numbers{border-collapse:collapse;margin-top:16px;font-size:14px}
.numbers th{font-weight:500;color:var(--muted);font-size:12.5px;vertical-align:bottom}
.numbers th,.numbers td{padding:6px 0 6px 34px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
.numbers th:first-child,.numbers td:first-child{padding-left:0;text-align:left}
.memory{width:100%}
.numbers .wide{width:45%;text-align:left}
.still{width:100%;font-size:10px;fill:var(--muted)}
.still path{fill:none;stroke-width:9}
.thin{display:block;height:5px;margin:2px 0;border-radius:2px}
.numbers .sum td{border-top:1px solid var(--muted)}
.sample{margin:12px 0 0;padding:18px 22px;background:var(--panel);border-radius:10px;font:13.5px/1.65 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:isolate}
.sample span{color:var(--muted)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:0 48px;margin:10px 0 0}
.facts div{display:grid;grid-template-columns:150px 1fr;gap:16px;padding:7px 0;border-bottom:1px solid var(--line);font-size:14px}
.facts dt{color:var(--muted)}
.facts dd{margin:0;overflow-wrap:anywhere}
.timeline{margin-top:8px}
.buttons{margin-left:auto;display:flex;gap:6px}
button{font:inherit;font-size:12.5px;line-height:1;padding:6px 10px;color:var(--text);background:var(--panel);border:1px solid var(--line);border-radius:6px;cursor:pointer}
.lanes{display:grid;grid-template-columns:max-content 1fr;max-height:80vh;overflow-y:auto;border-top:1px solid var(--line);border-bottom:1px solid var(--line)}
.names{padding:26px 16px 0 0;font-size:12.5px}
.names div{display:grid;grid-template-columns:1fr max-content;column-gap:18px;align-items:center}
.names span{grid-row:span 2}
.names em{font-style:normal;line-height:15px;font-size:11px;color:var(--muted)}
.names .first{border-top:1px solid var(--line)}
.names .first:first-child{border-top:0}
.canvas{position:relative;min-width:0;cursor:crosshair;touch-action:pan-y;outline-offset:-2px}
.canvas canvas{position:absolute;left:0;top:0;width:100%;height:100%}
.selection{position:absolute;top:0;bottom:0;background:var(--k0);opacity:.18;pointer-events:none;width:0}
footer{margin-top:64px;padding-top:16px;border-top:1px solid var(--line);font-size:12.5px;color:var(--muted)}
@media(max-width:860px){.pair{grid-template-columns:1fr}.pair .large{grid-column:auto}}
@media(max-width:640px){main{padding:32px 18px 48px}h1{font-size:27px}.facts{grid-template-columns:1fr}.facts div{grid-template-columns:110px 1fr}.bar{grid-template-columns:100px 1fr 60px}.bar small{display:none}.numbers .wide{display:none}.numbers th,.numbers td{padding-left:14px;white-space:normal}}
@media print{section{break-inside:avoid}.buttons{display:none}}
)css";

}  // namespace pleat::train
