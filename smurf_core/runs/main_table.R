# Repeats a run's main table from its export, with base R alone.
#
#   Rscript main_table.R [FOLDER]     the folder of predictions.csv and contributions.csv
#
# It writes performance_r.csv (Table 2: mean and standard deviation over folds, and all samples
# pooled) and shares_r.csv (the share of the prediction's variance of every contribution).

arguments <- commandArgs(trailingOnly = TRUE)
folder <- if (length(arguments)) arguments[1] else "."

# An apostrophe before = + - @ keeps spreadsheets from running a text.
plain <- function(text) sub("^'(?=[=+@\t\r-])", "", text, perl = TRUE)

table_of <- function(name) {
  file <- file.path(folder, name)
  columns <- names(read.csv(file, nrows = 1, check.names = FALSE))
  texts <- intersect(columns, c("sample_id", "output", "modality", "shared_with", "kind"))
  kinds <- setNames(rep("character", length(texts)), texts)
  read.csv(file, check.names = FALSE, na.strings = "", colClasses = kinds, encoding = "UTF-8")
}

predictions <- table_of("predictions.csv")
contributions <- table_of("contributions.csv")
logits <- grep("^logit ", names(predictions), value = TRUE)
is_classification <- length(logits) > 0

# Performance ------------------------------------------------------------------------------------

regression <- function(rows) {
  a <- rows$target
  b <- rows$prediction
  middle <- function(x) x - mean(x)
  covariance <- mean(middle(a) * middle(b))
  spread <- mean(middle(a)^2) + mean(middle(b)^2) + (mean(a) - mean(b))^2
  c(r = if (sd(a) > 0 && sd(b) > 0) cor(a, b) else NA, ccc = 2 * covariance / spread,
    mae = mean(abs(a - b)), rmse = sqrt(mean((a - b)^2)))
}

classification <- function(rows) {
  classes <- sub("^logit ", "", logits)
  truth <- match(plain(as.character(rows$target)), classes)
  values <- as.matrix(rows[logits])
  guess <- max.col(values, ties.method = "first")
  hits <- guess == truth
  f1 <- sapply(union(truth, guess), function(k) {
    2 * sum(guess == k & truth == k) / (sum(guess == k) + sum(truth == k))
  })
  highest <- apply(values, 1, max)
  total <- highest + log(rowSums(exp(values - highest)))
  c(accuracy = mean(hits), balanced_accuracy = mean(tapply(hits, truth, mean)),
    macro_f1 = mean(f1),
    log_loss = mean(total - values[cbind(seq_along(truth), truth)]))
}

metrics <- if (is_classification) classification else regression
by_fold <- sapply(split(predictions, predictions$fold), metrics)
performance <- data.frame(
  metric = rownames(by_fold),
  mean = rowMeans(by_fold, na.rm = TRUE),
  sd = apply(by_fold, 1, sd, na.rm = TRUE),
  folds = ncol(by_fold),
  pooled = metrics(predictions),
  n = nrow(predictions),
  row.names = NULL
)

# Shares of the prediction's variance ------------------------------------------------------------

x <- contributions
term <- paste(x$order, x$modality, x$shared_with, sep = "\r")
value <- x$contribution
# The softmax does not see what all classes have in common.
if (is_classification) value <- value - ave(value, paste(x$sample_id, term, sep = "\r"))
# Each fold has its own model.
value <- value - ave(value, paste(x$fold, term, x$output, sep = "\r"))
total <- ave(value, paste(x$sample_id, x$output, sep = "\r"), FUN = sum)

share_of <- function(rows, output) {
  terms <- factor(term[rows], levels = unique(term))
  covariance <- tapply(value[rows] * total[rows], terms, sum)
  own <- tapply(value[rows]^2, terms, sum)
  # Every sample's total stands in the rows of all terms: it counts once.
  variance <- sum(total[rows & term == term[1]]^2)
  first <- match(levels(terms), term)
  data.frame(order = x$order[first], modality = x$modality[first],
             shared_with = x$shared_with[first], output = output,
             share = as.numeric(covariance) / variance,
             own_share = as.numeric(own) / variance)
}

outputs <- unique(x$output)
shares <- do.call(rbind, lapply(outputs, function(o) share_of(x$output == o, o)))
if (is_classification) shares <- rbind(share_of(rep(TRUE, nrow(x)), "all"), shares)

print(performance, digits = 4)
print(shares, digits = 4)
write.csv(performance, file.path(folder, "performance_r.csv"), row.names = FALSE)
write.csv(shares, file.path(folder, "shares_r.csv"), row.names = FALSE)
