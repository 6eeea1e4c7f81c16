"""The programs. Each room beside `chassis` is one process; they speak over topics and HTTP."""
