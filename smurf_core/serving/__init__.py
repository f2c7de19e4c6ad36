"""What both servers, of the app and of raters, share: safe headers, and metrics for operators."""
