-- the days of figures, from which letters tell a trend
-- depends: 20261122_02_reports

-- migrate: apply
-- The last figure of each local day on which one changed, of indicators that are judged. What is
-- older than the trend goes with the next figure, but for the one that stood when the trend begins.
CREATE TABLE figure_days (
    area text COLLATE "C" NOT NULL,
    indicator text COLLATE "C" NOT NULL,
    basis text COLLATE "C" NOT NULL,
    on_day date NOT NULL,
    version bigint NOT NULL,
    value numeric NOT NULL,
    PRIMARY KEY (area, indicator, basis, on_day)
);

-- migrate: rollback
DROP TABLE figure_days;
