"""Where and when something was measured, as pages state it."""
import datetime
import os
import pathlib
import platform
import re


def today_and_processor():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.*)", text)
    family = re.search(r"cpu family\s*:\s*(\d+)", text)
    processor = f"{model.group(1)} (family {family.group(1)})" if model else platform.processor()
    return f"{datetime.date.today().isoformat()}: {processor}, {os.cpu_count()} cores"
