/// The style sheet. There are two sets of colours; everything else is defined once.
enum PageStyle {
    static let sheet: Markup = """
        \(colours)\(layout)\(components)\(drawings)\(small)
        """

    private static let colours: Markup = """
        :root{--paper:#f6f5f2;--panel:#fff;--ink:#1a1f27;--muted:#59626e;--line:#e3e1da;--track:#efede7;
        --active:#0b5cad;--random:#8f5200;--audit:#71359f;--good:#17703f;--bad:#b7202c;--wash:#fbeaea;
        --digit:#f3f1ea;--digit-ink:#10151c}
        @media(prefers-color-scheme:dark){:root{--paper:#101318;--panel:#181c23;--ink:#e8eaee;--muted:#a3abb7;
        --line:#2c333d;--track:#242a33;--active:#74b3fb;--random:#eeb25c;--audit:#c69dfa;--good:#64cf93;--bad:#ff8a8a;
        --wash:#331d22;--digit:#dcd9d0;--digit-ink:#0c1016}}

        """

    private static let layout: Markup = """
        *{box-sizing:border-box}
        body{margin:0 auto;padding:28px 24px 40px;max-width:1232px;background:var(--paper);color:var(--ink);
        font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
        font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%}
        h1,h2,h3,p,ol,dl,dd{margin:0;padding:0}
        h1{font-size:30px;line-height:1.1;letter-spacing:-.02em}h1 span{font-weight:400;color:var(--muted)}
        h2{font-size:19px;letter-spacing:-.01em}h3{font-size:15px}
        small{font-size:12.5px;font-weight:400;color:var(--muted)}em{font-style:normal}
        section{margin-top:34px;min-width:0}ol{list-style:none}
        .note{margin:2px 0 12px;color:var(--muted);max-width:76ch}
        h2+.headline{margin-top:12px}
        .panel{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:16px 18px;min-width:0}
        .panel+.panel{margin-top:16px}
        .two,.headline{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:16px;align-items:start}
        .headline,.even{align-items:stretch}.headline>:first-child{display:flex;flex-direction:column;
        justify-content:space-between}.two>.panel,.headline>.panel{margin-top:0}
        .two>section{display:flex;flex-direction:column}.two>section>.note{min-height:2.9em}
        .muted{color:var(--muted)}.good{color:var(--good)}.bad{color:var(--bad)}
        .empty{color:var(--muted);padding:18px 0;text-align:center}

        """

    private static let components: Markup = """
        .bar{display:flex;align-items:center;gap:14px;flex-wrap:wrap}
        .state{border:1px solid;border-radius:99px;padding:2px 11px;font-size:13px;font-weight:600;color:var(--active)}
        .state.done{color:var(--good)}
        .lead{margin:10px 0 16px;font-size:17px;max-width:86ch}
        .progress{height:6px;border-radius:3px;background:var(--line);overflow:hidden}
        .progress i{display:block;height:100%;background:var(--ink)}
        .facts{display:flex;flex-wrap:wrap;gap:2px 26px;margin-top:8px;font-size:14px}
        .facts span:not(.good,.bad){color:var(--muted)}.facts b{font-weight:600;color:var(--ink)}
        .facts .good b,.facts .bad b{color:inherit}
        .hero{display:flex;align-items:center;gap:18px;margin-bottom:18px}
        .hero strong{font-size:54px;line-height:1;letter-spacing:-.03em}
        .hero span{font-size:17px;max-width:24ch;line-height:1.3}.hero.open span{max-width:32ch}.hero.open strong{color:var(--muted);font-weight:400}
        .badge{display:inline-flex;align-items:center;gap:5px;font-size:13.5px;font-weight:600;white-space:nowrap}
        .key{flex:none;vertical-align:-2px}
        .pair{margin-top:14px}.pair:first-child{margin-top:0}
        .pair h3{display:flex;flex-wrap:wrap;align-items:baseline;gap:0 8px;margin-bottom:3px}
        .pair h3 em,.asked h3 em{margin-left:auto;font-size:13.5px;font-weight:600}
        .row{display:grid;grid-template-columns:82px minmax(0,1fr) 92px;gap:10px;align-items:center;min-height:22px;
        font-size:14px}
        .row>:last-child{text-align:right;white-space:nowrap}
        .track{display:flex;align-items:center;height:12px;background:var(--track);border-radius:2px}
        .headline .track{height:16px}.headline .row{min-height:25px}
        .track i{display:block;flex:none;height:100%;border-radius:2px}
        .track i.active{background:var(--active)}.track i.random{background:var(--random)}
        .track i.tight{outline:2px solid var(--ink);outline-offset:1px}
        table{width:100%;border-collapse:collapse;font-size:14px}
        th,td{padding:5px 10px 5px 0;text-align:left;vertical-align:top;font-weight:400}
        th:last-child,td:last-child{padding-right:0}
        thead th{font-size:12.5px;color:var(--muted);vertical-align:bottom}
        tbody tr{border-top:1px solid var(--line)}
        .figures td{font-weight:600;width:35%}.figures thead small{display:block;margin-left:19px}
        .figures thead .badge{color:var(--ink)}
        .figures td small{margin-left:8px}.figures tbody th{color:var(--muted)}
        .asked h3{display:flex;align-items:center;flex-wrap:wrap;gap:0 8px;margin-bottom:12px}
        .asked.live{min-height:190px}
        .cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(232px,1fr));gap:8px}
        .card{display:flex;gap:9px;border:1px solid var(--line);border-radius:6px;padding:7px;font-size:13px;
        line-height:1.3;min-width:0}
        .card>div{min-width:0;display:flex;flex-direction:column;gap:3px;overflow-wrap:anywhere}
        .card.audit{border:1.5px dashed var(--audit);padding:6.5px}
        .tag{color:var(--audit);font-weight:700}
        .digit{flex:none;width:72px;height:72px;background:var(--digit);fill:var(--digit-ink);border-radius:3px;
        shape-rendering:crispEdges}
        .votes{margin-top:auto;font-size:12px;color:var(--muted);white-space:nowrap}.dots{margin-right:4px}
        .dots i{display:inline-block;width:8px;height:8px;margin-right:2px;border:1.5px solid var(--muted);
        border-radius:50%}.dots i.on{background:var(--ink);border-color:var(--ink)}
        details{margin-top:12px}summary{cursor:pointer;color:var(--muted);font-size:14px}
        details>:last-child{margin-top:10px}
        .legend{display:flex;flex-wrap:wrap;gap:4px 22px;margin-bottom:10px;font-size:13.5px;color:var(--muted)}
        .legend>span{display:inline-flex;align-items:center;gap:6px;flex-wrap:wrap}
        .legend b,.legend .badge{color:var(--ink)}
        .legend i.goal{width:20px;border-top:2px dashed var(--good)}
        .legend i.outage{width:14px;height:14px;background:var(--bad);opacity:.16;border-radius:2px}
        .what{display:inline-flex;align-items:center;gap:5px;white-space:nowrap}
        .what.good{color:var(--good)}.what.bad{color:var(--bad);font-weight:600}.what.quiet{color:var(--muted)}
        .time{font-variant-numeric:tabular-nums;color:var(--muted)}.number{text-align:right;white-space:nowrap}
        .releases td{white-space:nowrap}.releases .evidence{white-space:normal;width:60%}
        .releases th:nth-child(5){text-align:right}.releases td:nth-child(5){padding-right:22px}
        .releases th:nth-child(5){padding-right:22px}
        .releases.dim td{color:var(--muted)}.releases.dim b{font-weight:400}
        .rollback{background:var(--wash);box-shadow:-18px 0 var(--wash),18px 0 var(--wash)}
        .rollback .evidence{font-weight:600}
        .sum{margin-top:16px;padding-top:12px;border-top:1px solid var(--line)}.sum .legend{margin:4px 0 0}
        .annotators th,.annotators td{vertical-align:middle}
        .annotators tbody th{font-weight:600;max-width:11em;overflow-wrap:break-word}
        .annotators td:nth-child(3),.annotators th:nth-child(3){width:44%;padding:3px 12px 3px 6px}
        .annotators thead th:not(:first-child,:nth-child(3)){text-align:right}
        .events li{display:grid;grid-template-columns:48px 84px 128px minmax(0,1fr);gap:10px;padding:5px 0;
        border-top:1px solid var(--line);font-size:14px;overflow-wrap:anywhere}
        .events li:first-child{border-top:0}
        footer{margin-top:40px;padding-top:22px;border-top:1px solid var(--line);color:var(--muted);font-size:14px}
        footer h2{color:var(--ink);margin-bottom:6px}
        footer pre{margin:12px 0;padding:12px 14px;overflow-x:auto;background:var(--panel);color:var(--ink);
        border:1px solid var(--line);border-radius:6px}
        code,pre{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
        dl{display:grid;grid-template-columns:repeat(2,max-content minmax(0,1fr));gap:4px 18px;margin:12px 0}
        dt code{color:var(--ink)}

        """

    private static let drawings: Markup = """
        .chart{display:block;width:100%;height:auto}.chart.narrow{display:none}
        svg text{font-size:12px;fill:var(--muted)}.chart.narrow text{font-size:12.5px}
        svg .name{font-size:12.5px}.chart .lane,.chart.narrow .lane{font-size:13px;font-weight:600;fill:var(--ink)}
        .grid{stroke:var(--line)}.axis{stroke:var(--muted)}
        line.goal{stroke:var(--good);stroke-width:1.5;stroke-dasharray:6 4}
        svg .goal-name{fill:var(--good);font-weight:600}
        .curve{fill:none;stroke-width:2.2;stroke-linejoin:round}
        .curve.active{stroke:var(--active)}.curve.random{stroke:var(--random);stroke-dasharray:7 3}
        .drop{stroke-width:1.5;stroke-dasharray:2 3}.drop.active{stroke:var(--active)}.drop.random{stroke:var(--random)}
        svg .drop-name{font-weight:600}svg .drop-name.active{fill:var(--active)}svg .drop-name.random{fill:var(--random)}
        svg .waiting{font-size:14px}
        .mark.active{fill:var(--active);stroke:var(--active)}.mark.random{fill:var(--random);stroke:var(--random)}
        .mark.good{fill:var(--good);stroke:var(--good)}.mark.bad{fill:var(--bad);stroke:var(--bad)}
        .mark.plain{fill:var(--ink);stroke:var(--ink)}.mark.quiet{fill:var(--muted);stroke:var(--muted)}
        .mark .hollow{fill:var(--panel);stroke-width:1.8}.mark .cut{fill:none;stroke:var(--panel);stroke-width:1.8}
        .vacant{fill:var(--track)}
        .span{fill-opacity:.2}.span.active{fill:var(--active)}.span.random{fill:var(--random)}
        .span.broken{fill:var(--bad);fill-opacity:.14}.hatch{stroke:var(--bad);stroke-opacity:.55}
        svg .span-name{fill:var(--ink);font-weight:600}
        svg .hatched{paint-order:stroke;stroke:var(--panel);stroke-width:5px;stroke-linejoin:round}
        .shadow.active{fill:var(--active);fill-opacity:.45}.shadow.random{fill:var(--random);fill-opacity:.45}
        rect.outage{fill:var(--bad);fill-opacity:.12}
        .pole{stroke-dasharray:2 2}.flag circle{stroke:none}
        .flag.bad .pole{stroke:var(--bad)}.flag.bad circle,svg .flag.bad text{fill:var(--bad)}
        .flag.good .pole{stroke:var(--good)}.flag.good circle,svg .flag.good text{fill:var(--good)}
        .chart .flag-name{font-size:11.5px;font-weight:600}
        svg .waiting,svg .lane,svg .drop-name,svg .goal-name,svg .flag-name{paint-order:stroke;stroke:var(--panel);stroke-width:4px;
        stroke-linejoin:round}
        .now{stroke:var(--ink);stroke-width:1.5}
        svg.dots{display:block;width:100%;height:18px;margin:0;overflow:visible}thead svg.dots{height:14px}
        .truth{stroke:var(--ink);stroke-width:2.5}.gap{stroke:var(--active);stroke-width:2;stroke-opacity:.5}

        """

    private static let small: Markup = """
        @media(max-width:860px){.two,.headline{grid-template-columns:minmax(0,1fr)}
        .two>section>.note{min-height:0}.two>section+section{margin-top:18px}
        .chart.wide{display:none}.chart.narrow{display:block;max-width:620px;margin:0 auto}
        dl{grid-template-columns:max-content minmax(0,1fr)}}
        @media(max-width:620px){body{padding:20px 12px 32px}.panel{padding:13px 12px}
        .lead{font-size:16px}.hero strong{font-size:44px}.row{grid-template-columns:78px minmax(0,1fr) 84px;gap:8px}
        .cards{grid-template-columns:repeat(auto-fill,minmax(148px,1fr))}
        .digit{width:56px;height:56px}.unit{position:absolute;clip-path:inset(50%)}
        .releases thead{display:none}.releases tr{display:grid;grid-template-columns:44px 84px 1fr auto;gap:2px 8px;
        padding:8px 0}.releases td{padding:0}.releases td:nth-child(5){padding:0}
        .releases td:nth-child(4){grid-column:2/-1;grid-row:2;white-space:normal}
        .releases .evidence{grid-column:2/-1;width:auto}
        .rollback{box-shadow:-12px 0 var(--wash),12px 0 var(--wash)}
        .annotators{font-size:13px}.annotators .middle{display:none}.annotators th,.annotators td{padding-right:6px}
        .annotators td:nth-child(2),.annotators th:nth-child(2){display:none}
        .events li{grid-template-columns:44px 84px minmax(0,1fr)}.events .text{grid-column:2/-1}
        .figures td small{display:block;margin:0}.figures td{width:33%}
        dl{grid-template-columns:minmax(0,1fr);gap:0}dd{margin-bottom:6px}}

        """
}
