# Means and agreement of the ratings in this folder, with base R: Rscript analysis.R
ratings <- read.csv("ratings.csv", stringsAsFactors = FALSE)
used <- subset(ratings, kind == "clip" & !(excluded %in% c("True", "TRUE", TRUE)))

# One mean per clip, condition and field.
means <- aggregate(value ~ clip + condition + key, used, mean)
counts <- aggregate(value ~ clip + condition + key, used, length)
means$raters <- counts$value
names(means)[names(means) == "value"] <- "mean"
write.csv(means, "means.csv", row.names = FALSE)

# ICC(2,1) and ICC(2,k) from a two-way random model, also where each rater rated a part
# (Henderson's method 3). k is the harmonic mean of the ratings per clip.
agreement <- function(part) {
  part$rater <- factor(part$rater)
  part$clip <- factor(part$clip)
  n <- nrow(part); clips <- nlevels(part$clip); raters <- nlevels(part$rater)
  if (clips < 2 || raters < 2) return(c(NA, NA))
  full <- lm(value ~ rater + clip, part)
  if (full$df.residual < 1) return(c(NA, NA))
  rest <- deviance(full)
  by_rater <- lm(value ~ rater, part)
  by_clip <- lm(value ~ clip, part)
  error <- rest / full$df.residual
  of_clips <- (deviance(by_rater) - rest - (full$rank - by_rater$rank) * error) / (n - raters)
  of_raters <- (deviance(by_clip) - rest - (full$rank - by_clip$rank) * error) / (n - clips)
  single <- of_clips / (of_clips + of_raters + error)
  k <- 1 / mean(1 / table(part$clip))
  c(single, k * single / (1 + (k - 1) * single))
}
numbers <- subset(used, measure != "nominal")
groups <- split(numbers, list(numbers$condition, numbers$key), drop = TRUE)
result <- do.call(rbind, lapply(groups, function(part) {
  found <- agreement(part)
  data.frame(condition = part$condition[1], key = part$key[1], icc_single = found[1],
             icc = found[2])
}))
write.csv(result, "agreement_by_r.csv", row.names = FALSE)
print(result, row.names = FALSE)
