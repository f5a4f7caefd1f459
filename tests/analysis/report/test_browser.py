"""The page in a real browser, from disk: no errors, no network, sorted by a click, narrow and dark. Skipped without one."""

import json
import shutil

import pytest

selenium = pytest.importorskip("selenium")

from selenium import webdriver  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium and chromedriver here")


@pytest.fixture(scope="module")
def browser(report):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.get((report / "index.html").as_uri())
    yield driver
    driver.quit()


def test_it_loads_without_an_error_or_a_request(browser, report):
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in messages if event["method"] == "Network.requestWillBeSent"]
    assert {url.split(":")[0] for url in asked} <= {"file", "data"}
    assert [url for url in asked if url.startswith("file")] == [(report / "index.html").as_uri()]
    assert browser.get_log("browser") == []
    assert browser.find_element(By.TAG_NAME, "h1").text == "mixed"


def column(browser, heading):
    table = browser.find_element(By.ID, "table-configurations")
    headings = [cell.text.split("\n")[0] for cell in table.find_elements(By.TAG_NAME, "th")]
    place = headings.index(heading)
    cells = table.find_elements(By.CSS_SELECTOR, f"tbody td:nth-child({place + 1})")
    button = table.find_elements(By.CSS_SELECTOR, "th button")[place]
    return button, [cell.get_attribute("data-sort") or cell.text for cell in cells]


@pytest.mark.parametrize("heading", ["R2, median", "#", "best linear"])
def test_a_click_sorts_numbers_as_numbers_both_ways(browser, heading):
    for order in ("ascending", "descending"):
        button, _ = column(browser, heading)
        browser.execute_script("arguments[0].click()", button)
        found = [float(value.replace("Infinity", "inf")) for value in column(browser, heading)[1]]
        assert found == sorted(found, reverse=order == "descending")
        assert button.find_element(By.XPATH, "..").get_attribute("aria-sort") == order


def test_what_is_missing_comes_last_both_ways(browser):
    for _ in range(2):
        browser.execute_script("arguments[0].click()", column(browser, "dead layer")[0])
        found = column(browser, "dead layer")[1]
        assert found.count("–") == 3
        assert found[-3:] == ["–"] * 3


def test_names_are_sorted_as_text(browser):
    browser.execute_script("arguments[0].click()", column(browser, "configuration")[0])
    found = column(browser, "configuration")[1]
    assert [name.split()[0] for name in found] == sorted(name.split()[0] for name in found)


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out_of_the_page(browser, width):
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    for details in browser.find_elements(By.TAG_NAME, "details"):
        browser.execute_script("arguments[0].open = true", details)
    needed, there = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert needed <= there == width
    inside = browser.execute_script(
        "const s = document.querySelector('.scroll'); return [s.scrollWidth, s.clientWidth]"
    )
    assert inside[0] > inside[1] or width > 500


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_by_day_and_by_night(browser, scheme):
    features = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", features)
    for selector, least in {"body": 7, "a": 4.5, ".files": 4.5, "th button": 7, "td": 7, ".verdict.false": 4.5}.items():
        assert contrast(browser, selector) >= least, selector
    paper = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (luminance(paper) < 0.1) == (scheme == "dark")
    # Pictures are dark on a card that stays white.
    assert (
        luminance(browser.execute_script("return getComputedStyle(document.querySelector('.card')).backgroundColor"))
        == 1
    )


def contrast(browser, selector):
    """Of WCAG: of an element's text and the first background behind it that is not transparent."""
    script = """
    let element = document.querySelector(arguments[0]);
    const ink = getComputedStyle(element).color;
    while (element && getComputedStyle(element).backgroundColor === "rgba(0, 0, 0, 0)") element = element.parentElement;
    return [ink, getComputedStyle(element).backgroundColor];
    """
    low, high = sorted(map(luminance, browser.execute_script(script, selector)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour):
    channels = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return round(sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True)), 6)
