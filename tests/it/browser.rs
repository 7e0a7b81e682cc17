//! The page as a browser shows it: in two sizes and two colour schemes. Driven over WebDriver, which is plain HTTP;
//! skipped where Debian's chromium and chromium-driver are not installed.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{DEADLINE, Workdir};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A browser without a window, and its driver.
struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Browser {
    /// `None` where it is not installed.
    fn start(profile: &Path) -> Option<Browser> {
        let installed =
            |name: &str| Command::new(name).arg("--version").output().is_ok_and(|done| done.status.success());
        if !installed("chromium") || !installed("chromedriver") {
            return None;
        }
        let mut driver =
            Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let mut lines = BufReader::new(driver.stdout.take()?).lines().map_while(Result::ok);
        let port =
            lines.find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok());
        let port = port.expect("the driver says its port");
        // Its output must be read, or it would stop at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let mut browser = Browser { driver, port, session: String::new() };
        let profile = format!("--user-data-dir={}", profile.display());
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            &profile,
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"}}}});
        let answer = browser.ask("POST", "/session", &wanted);
        browser.session = format!("/session/{}", answer["sessionId"].as_str().expect("a session"));
        Some(browser)
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        // The driver keeps connections open, so that the length tells where an answer ends.
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).expect("the driver listens");
        connection.set_read_timeout(Some(DEADLINE)).expect("a socket");
        let (port, length) = (self.port, body.len());
        let head = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-length: {length}\r\n\r\n");
        connection.write_all((head + &body).as_bytes()).expect("the request is taken");
        let mut answer = BufReader::new(connection);
        let head: Vec<String> =
            answer.by_ref().lines().map(|line| line.expect("a line")).take_while(|line| !line.is_empty()).collect();
        let length =
            head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        let mut body = vec![0; length.expect("a length")];
        answer.read_exact(&mut body).expect("an answer");
        assert!(head[0].contains(" 200 "), "{path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice::<Value>(&body).expect("JSON")["value"].take()
    }

    #[track_caller]
    fn tell(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", &format!("{}{path}", self.session), body)
    }

    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.tell("/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// Opens a page as a screen of this width shows it.
    fn open(&self, page: &Path, width: u32, scheme: &str, medium: &str) {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.devtools("Emulation.setEmulatedMedia", &json!({"media": medium, "features": features}));
        self.tell("/url", &json!({"url": format!("file://{}", page.display())}));
    }

    fn run(&self, script: &str) -> Value {
        self.tell("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// A picture of the whole page, for people.
    fn picture(&self, name: &str) {
        let shot = json!({"captureBeyondViewport": true});
        let png = base64(self.devtools("Page.captureScreenshot", &shot)["data"].as_str().expect("a picture"));
        assert!(png.starts_with(b"\x89PNG") && png.len() > 10_000, "{name} is empty");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        std::fs::write(folder.join(format!("report-{name}.png")), png).expect("written");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A driver that is killed leaves its browser behind; one that is asked takes it along.
        if let Ok(mut connection) = TcpStream::connect(("127.0.0.1", self.port)) {
            let _ = connection.set_read_timeout(Some(Duration::from_secs(10)));
            let _ = write!(connection, "GET /shutdown HTTP/1.1\r\nhost: 127.0.0.1:{}\r\n\r\n", self.port);
            let _ = connection.read_to_end(&mut Vec::new());
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn base64(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|byte| LETTERS.iter().position(|letter| *letter == byte));
    let (mut out, mut bits, mut held) = (Vec::new(), 0u32, 0);
    for digit in digits {
        (bits, held) = (bits << 6 | digit as u32, held + 6);
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    out
}

/// A run of some minutes in which much went wrong, with texts as long as they get.
fn results() -> String {
    let mut file =
        "visit_id,session_uid,status,http_status,error_code,error,attempts,elapsed_ms,finished_at,store_number,\
                    visit_date,scenes,payload_sha256,source\n"
            .to_owned();
    for n in 0..3_000 {
        let (status, code, error) = match n % 20 {
            3 => ("rejected", "unknown_store", "<script>document.title='taken over'</script>".to_owned()),
            7 if n % 3 == 0 => ("failed", "server_error", "W".repeat(9_000)),
            11 => (
                "invalid",
                "time_order",
                format!("time_order session_end_time: it ends before it starts (visits.csv:{n})"),
            ),
            _ => ("uploaded", "", String::new()),
        };
        let key = if n == 3 { "V".repeat(400) } else { format!("V{n}") };
        file.push_str(&format!(
            "{key},65122e0f-cb0e-56c9-b1b9-ce0a93874602,{status},200,{code},{error},{},{},2024-03-05T08:{:02}:{:02}.000Z,\
             1000500000{:05},2024-03-{:02},2,79bc,a-rather-long-folder/of-exports/2024-03-05/visits.csv:{n}\n",
            u32::from(status != "invalid"),
            30 + n % 170,
            n / 600,
            n / 10 % 60,
            n % 80,
            1 + n % 12,
        ));
    }
    file
}

#[test]
fn the_page_is_read_on_a_desk_and_on_a_phone_by_day_and_by_night() {
    let work = Workdir::new();
    let Some(browser) = Browser::start(&work.path("profile")) else {
        crate::harness::skipped("chromium and chromium-driver are not installed");
        return;
    };
    work.write("results.csv", results());
    work.traxload(&["report", "results.csv"]).ends_with(0);
    let page = work.path("results.csv.html").canonicalize().expect("a page");
    let mut papers = Vec::new();
    for (width, scheme) in [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark"), (360, "light")] {
        let name = format!("{width}-{scheme}");
        browser.open(&page, width, scheme, "screen");
        assert_eq!(
            browser.run("return document.querySelector('h1').innerText"),
            "2,650 of 3,000 visits delivered; 350 need attention"
        );
        let wide = browser.run("return document.documentElement.scrollWidth");
        assert_eq!(wide, width, "{name}: the page scrolls sideways");
        // What sticks out may do so in a box that scrolls by itself.
        let outside = browser.run(
            "return [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, .unseen, svg')
                 && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))",
        );
        assert_eq!(outside, json!([]), "{name}");
        let drawn = browser.run(
            "return [...document.querySelectorAll('svg')].map(e => { const box = e.getBoundingClientRect();
                 return box.width > innerWidth / 4 && box.height > 10 && e.querySelector('rect, path') !== null })",
        );
        assert_eq!(drawn, json!([true, true, true]), "{name}");
        assert_eq!(browser.run(CONTRAST), json!([]), "{name}: text that is hard to read");
        papers.push(browser.run("return getComputedStyle(document.body).backgroundColor"));
        browser.picture(&name);
    }
    assert!(papers[0] == papers[2] && papers[1] == papers[3] && papers[0] != papers[1], "{papers:?}");
    assert!(browser.run("return document.title").as_str().is_some_and(|title| title.ends_with("results.csv")));
    assert_eq!(browser.run("return document.scripts.length + performance.getEntriesByType('resource').length"), 0);
    // On paper it is black on white, whatever the screen is.
    browser.open(&page, 720, "dark", "print");
    assert_eq!(browser.run("return getComputedStyle(document.body).backgroundColor"), papers[0]);
    browser.picture("print");
    let said = browser.ask("POST", &format!("{}/se/log", browser.session), &json!({"type": "browser"}));
    assert_eq!(said, json!([]), "the browser complains");
}

/// Texts whose contrast is less than 4.5 to 1, as WCAG reckons it (AA).
const CONTRAST: &str = "
    const light = colour => {
        const [r, g, b] = colour.match(/[\\d.]+/g).map(n => n / 255).map(n => n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = e => {
        for (; e; e = e.parentElement) {
            const colour = getComputedStyle(e).backgroundColor;
            if (!colour.startsWith('rgba(0, 0, 0, 0')) return colour;
        }
        return 'rgb(255, 255, 255)';
    };
    const poor = new Set();
    for (const e of document.querySelectorAll('body *')) {
        if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
        const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((a, b) => b - a);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < 4.5) poor.add(`${e.tagName}.${e.className} ${ratio.toFixed(2)}`);
    }
    return [...poor];";
